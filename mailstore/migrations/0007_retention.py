"""What the sweep writes for itself: what every device has, what the detectors found, and its passes."""

import django.db.models.deletion
from django.db import migrations, models

from mailstore.models.columns import ChangeRanges


class Migration(migrations.Migration):
    replaces = [
        ("mailstore", "0003_retention"),
        ("mailstore", "0017_findings"),
        ("mailstore", "0037_checks_that_wait_for_nobody"),
        ("mailstore", "0038_cap_of_recovery_waits"),
    ]
    dependencies = [("mailstore", "0006_diary")]

    operations = [
        # Neither table has a constraint on its mailbox: the check would wait for a transaction that has locked one of
        # the mailboxes, while the sweep holds the others.
        migrations.CreateModel(
            name="EveryDeviceHas",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "mailbox",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="mailstore.mailbox",
                    ),
                ),
                ("since", models.DateTimeField()),
                ("numbers", ChangeRanges()),
            ],
            options={
                "verbose_name": "what every device has",
                "verbose_name_plural": "what every device has",
                "constraints": [
                    # One row a day. Its index: the days of a mailbox, in each pass of the sweep.
                    models.UniqueConstraint(fields=["mailbox", "since"], name="every_device_has_once_a_day"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # Its index: the findings of a mailbox, on the pages of its owner and its admins.
                (
                    "mailbox",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="mailstore.mailbox",
                        verbose_name="mailbox",
                    ),
                ),
                # Its index: a purge of devices takes their findings along.
                (
                    "device",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="mailstore.device",
                        verbose_name="device",
                    ),
                ),
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
            ],
            options={"verbose_name": "finding", "verbose_name_plural": "findings"},
        ),
        migrations.CreateModel(
            name="SweepPass",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("ended_at", models.DateTimeField(verbose_name="ended")),
                ("figures", models.JSONField(default=dict, verbose_name="figures")),
            ],
            options={
                "verbose_name": "pass of the sweep",
                "verbose_name_plural": "passes of the sweep",
                "get_latest_by": "pk",
            },
        ),
    ]
