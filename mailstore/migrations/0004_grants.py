"""Domain admins, and from where somebody acted."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0003_retention")]

    operations = [
        migrations.CreateModel(
            name="DomainGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                (
                    "domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="mailstore.domain",
                        verbose_name="domain",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "grant",
                "verbose_name_plural": "grants",
                "constraints": [models.UniqueConstraint(fields=("user", "domain"), name="domain_grant_once")],
            },
        ),
        migrations.AddField(
            model_name="auditentry",
            name="client",
            field=models.GenericIPAddressField(blank=True, null=True, verbose_name="from where"),
        ),
    ]
