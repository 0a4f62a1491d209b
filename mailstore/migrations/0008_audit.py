"""The audit: who changed what, in which way, from where."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    replaces = [
        ("mailstore", "0024_audit_of_a_subject"),
        ("mailstore", "0027_domain_of_audit_entries"),
        ("mailstore", "0028_domain_of_old_audit_entries"),
        ("mailstore", "0033_list_of_the_audit"),
    ]
    dependencies = [("mailstore", "0007_retention")]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="when")),
                # Its index: the end of a user leaves the entries, with the name alone.
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
                ("actor_name", models.CharField(max_length=254, verbose_name="who, by name")),
                (
                    "via",
                    models.CharField(
                        choices=[("web", "web"), ("shell", "shell")],
                        max_length=5,
                        verbose_name="by way of",
                    ),
                ),
                ("client", models.GenericIPAddressField(blank=True, null=True, verbose_name="from where")),
                ("verb", models.CharField(max_length=40, verbose_name="action")),
                ("subject", models.CharField(max_length=254, verbose_name="subject")),
                # Its index: what was done to a mailbox, on its page and for its owner.
                (
                    "mailbox",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="mailstore.mailbox",
                        verbose_name="mailbox",
                    ),
                ),
                # No constraint: the key outlives the domain, so that a new domain of that name shows nothing of it.
                (
                    "domain",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="mailstore.domain",
                        verbose_name="domain",
                    ),
                ),
                ("details", models.JSONField(default=dict, verbose_name="details")),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
                "indexes": [
                    # The audit page of a hosting admin.
                    models.Index(fields=["-at"], name="audit_newest_first"),
                    # What was done to a domain, on its page.
                    models.Index(fields=["subject"], name="audit_of_a_subject"),
                    # The audit page of a domain admin.
                    models.Index(fields=["domain", "-at"], name="audit_of_a_domain"),
                    # The search of the audit page, by any three characters of what or who, in any case.
                    GinIndex(
                        OpClass(Upper("subject"), "gin_trgm_ops"),
                        OpClass(Upper("actor_name"), "gin_trgm_ops"),
                        name="audit_search",
                    ),
                    # Its other order.
                    models.Index(fields=["actor_name", "id"], name="audit_by_actor"),
                    # Its filters, where they find little.
                    models.Index(fields=["verb"], opclasses=["varchar_pattern_ops"], name="audit_by_verb"),
                    models.Index(fields=["via"], name="audit_by_way"),
                ],
            },
        ),
    ]
