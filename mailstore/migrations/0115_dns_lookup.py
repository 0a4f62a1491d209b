"""The page about a domain's DNS records shows what was found last, and waits for nobody."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0111_mta_log_position")]

    operations = [
        migrations.CreateModel(
            name="DnsLookup",
            fields=[
                (
                    "domain",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="mailstore.domain",
                        verbose_name="domain",
                    ),
                ),
                ("looked_up_at", models.DateTimeField(verbose_name="looked up")),
                ("answers", models.JSONField(verbose_name="answers")),
            ],
            options={"verbose_name": "DNS look-up", "verbose_name_plural": "DNS look-ups"},
        ),
    ]
