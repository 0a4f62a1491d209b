"""What the detectors have found."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0016_tallies"),
    ]

    operations = [
        migrations.CreateModel(
            name="Finding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("again", "fetches the same mail again and again"),
                            ("shared", "two machines on one password"),
                            ("hasty", "looks for mail every few seconds"),
                            ("keeps", "never deletes, and the mailbox fills"),
                            ("unended", "never ends its sessions"),
                            ("previous", "the previous password is still in use"),
                        ],
                        max_length=8,
                        verbose_name="finding",
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="since")),
                ("facts", models.JSONField(default=dict, verbose_name="facts")),
                (
                    "device",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="mailstore.device",
                        verbose_name="device",
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="mailstore.mailbox", verbose_name="mailbox"
                    ),
                ),
            ],
            options={
                "verbose_name": "finding",
                "verbose_name_plural": "findings",
            },
        ),
    ]
