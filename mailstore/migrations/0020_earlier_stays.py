"""A restore keeps the stay that it ended: sessions that opened within it list it, and pages tell of it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0019_hosting_admins"),
    ]

    operations = [
        migrations.CreateModel(
            name="EarlierStay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uidl", models.CharField(max_length=70, verbose_name="UIDL")),
                ("added", models.BigIntegerField(verbose_name="arrival's change number")),
                ("removed", models.BigIntegerField(verbose_name="removal's change number")),
                ("removed_at", models.DateTimeField(verbose_name="removed")),
                (
                    "removed_why",
                    models.CharField(
                        choices=[
                            ("dele", "deleted by a device"),
                            ("every", "every device has it"),
                            ("expired", "expired by retention policy"),
                            ("relief", "quota relief"),
                            ("person", "removed by a person"),
                        ],
                        max_length=7,
                        verbose_name="why",
                    ),
                ),
                ("restored_at", models.DateTimeField(verbose_name="restored")),
                (
                    "mailbox",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="mailstore.mailbox",
                        verbose_name="mailbox",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="earlier_stays",
                        to="mailstore.message",
                        verbose_name="message",
                    ),
                ),
                (
                    "removed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="mailstore.device",
                        verbose_name="removed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "earlier stay",
                "verbose_name_plural": "earlier stays",
                "indexes": [
                    models.Index(fields=["mailbox", "removed"], name="earlier_stay_of_a_mailbox"),
                    models.Index(fields=["message"], name="earlier_stay_of_a_message"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("removed__gt", models.F("added"))),
                        name="earlier_stay_removed_after_it_was_added",
                    )
                ],
            },
        ),
    ]
