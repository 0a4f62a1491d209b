"""Aliases, and with them the catch-alls of domains and the forwards of mailboxes."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models
from django.db.models.functions import Lower, Upper

# An index takes immutable functions alone. What this one calls is "stable", since it takes arrays of any type; of texts
# it gives the same for ever.
JOINED = """
CREATE FUNCTION mailstore_joined(text[]) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT pg_catalog.array_to_string($1, ' ') $$
"""


class Migration(migrations.Migration):
    replaces = [("mailstore", "0032_lists_of_domains")]
    dependencies = [("mailstore", "0003_mailboxes")]

    operations = [
        migrations.RunSQL(JOINED, "DROP FUNCTION mailstore_joined(text[])"),
        migrations.CreateModel(
            name="Alias",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # Its index: each recipient of LMTP, and each new address.
                ("address", models.TextField(unique=True, verbose_name="address")),
                # Its index: the aliases of a domain, in lists and for its caps.
                (
                    "domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="mailstore.domain", verbose_name="domain"
                    ),
                ),
                (
                    "targets",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), size=None, verbose_name="targets"
                    ),
                ),
                # A mailbox has one forward at most. Its index: the forward on the mailbox's page.
                (
                    "mailbox",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="forward",
                        to="mailstore.mailbox",
                        verbose_name="forward of the mailbox",
                    ),
                ),
                ("keep_copy", models.BooleanField(default=False, verbose_name="keep a copy")),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires")),
                ("comment", models.CharField(blank=True, max_length=200, verbose_name="comment")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
            ],
            options={
                "verbose_name": "alias",
                "verbose_name_plural": "aliases",
                "constraints": [
                    # The unique address compares octets, so that rows keep the normal form alone.
                    models.CheckConstraint(
                        condition=models.Q(address=Lower("address")), name="alias_address_lower_case"
                    ),
                    # Mail to an alias without a target would be lost.
                    models.CheckConstraint(condition=models.Q(targets__len__gt=0), name="alias_has_a_target"),
                    # Only a forward has a mailbox where a copy could stay.
                    models.CheckConstraint(
                        condition=models.Q(keep_copy=False) | models.Q(mailbox__isnull=False),
                        name="alias_copy_only_in_a_mailbox",
                    ),
                ],
                "indexes": [
                    # The sweep: what expired long ago.
                    models.Index(
                        fields=["expires_at"], condition=models.Q(expires_at__isnull=False), name="alias_expiring"
                    ),
                    # What new addresses in a domain could be taken for.
                    models.Index(
                        fields=["domain"], condition=models.Q(address__regex="[^ -~]"), name="alias_not_ascii"
                    ),
                    # The search of the list, by any three characters of an address, a target or the comment.
                    GinIndex(
                        OpClass("address", "gin_trgm_ops"),
                        OpClass(
                            models.Func("targets", function="mailstore_joined", output_field=models.TextField()),
                            "gin_trgm_ops",
                        ),
                        OpClass(Upper("comment"), "gin_trgm_ops"),
                        name="alias_search",
                    ),
                    # The orders of the list.
                    models.Index(fields=["created_at", "id"], name="alias_by_age"),
                    models.Index(fields=["comment", "id"], name="alias_by_comment"),
                    # The filter for those that are switched off.
                    models.Index(fields=["address"], condition=models.Q(active=False), name="alias_off"),
                ],
            },
        ),
    ]
