"""The diary: what POP3 sessions did, and which batch of it each worker wrote last."""

import django.db.models.deletion
from django.db import migrations, models

from mailstore.models.columns import ChangeRanges


class Migration(migrations.Migration):
    replaces = [
        ("mailstore", "0009_diary"),
        ("mailstore", "0036_diary_batch"),
    ]
    dependencies = [("mailstore", "0005_messages")]

    operations = [
        migrations.CreateModel(
            name="DiarySession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # No constraints: their checks would wait for, and hold up, every transaction that locks the mailbox.
                (
                    "mailbox",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="mailstore.mailbox",
                        verbose_name="mailbox",
                    ),
                ),
                (
                    "device",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="mailstore.device",
                        verbose_name="device",
                    ),
                ),
                ("started_at", models.DateTimeField(verbose_name="began")),
                ("ended_at", models.DateTimeField(verbose_name="ended")),
                ("client", models.GenericIPAddressField(blank=True, null=True, verbose_name="address")),
                ("tls", models.CharField(blank=True, default="", max_length=10, verbose_name="encryption")),
                # What was done: counts, and the arrival numbers.
                ("listed", models.BigIntegerField(default=0, verbose_name="messages in view")),
                ("fetched_messages", models.BigIntegerField(default=0, verbose_name="fetched")),
                ("removed_messages", models.BigIntegerField(default=0, verbose_name="removed")),
                ("octets_out", models.BigIntegerField(default=0, verbose_name="octets sent")),
                ("fetched", ChangeRanges(default="{}", verbose_name="fetched, by arrival")),
                ("deleted", ChangeRanges(default="{}", verbose_name="removed, by arrival")),
                (
                    "ended",
                    models.CharField(
                        choices=[
                            ("quit", "QUIT"),
                            ("lost", "connection lost"),
                            ("idle", "silent for too long"),
                            ("barred", "ended here: this device may no longer use POP, or its password was changed"),
                            ("shutdown", "the server was stopped"),
                            ("failed", "the server failed"),
                            ("wrong", "refused: wrong password"),
                            ("previous", "refused: the previous password"),
                            ("suspended", "refused: suspended"),
                            ("pop-off", "refused: POP is switched off"),
                            ("main-off", "refused: the main password may not be used for POP"),
                            ("throttled", "refused: too many failures"),
                        ],
                        max_length=9,
                        verbose_name="how it ended",
                    ),
                ),
                # Sessions of an hour that are alike are one row. The digest of what they have in common finds it.
                ("sessions", models.PositiveIntegerField(default=1, verbose_name="how many")),
                ("fold", models.BinaryField(max_length=16, null=True, unique=True)),
            ],
            options={
                "verbose_name": "diary entry",
                "verbose_name_plural": "diary entries",
                "indexes": [
                    # The page of a mailbox, the newest first; and the detectors.
                    models.Index(fields=["mailbox", "-started_at"], name="diary_of_a_mailbox"),
                    # The sweep: what is older than the diary is kept.
                    models.Index(fields=["started_at"], name="diary_by_age"),
                ],
            },
        ),
        # As the sets of a device.
        migrations.RunSQL(
            "ALTER TABLE mailstore_diarysession"
            " ALTER COLUMN fetched SET STORAGE EXTERNAL,"
            " ALTER COLUMN deleted SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
        migrations.CreateModel(
            name="DiaryBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("writer", models.UUIDField(verbose_name="worker")),
                ("number", models.BigIntegerField(verbose_name="number")),
                ("written_at", models.DateTimeField(verbose_name="written")),
            ],
            options={
                "verbose_name": "batch of diary entries",
                "verbose_name_plural": "batches of diary entries",
                "constraints": [
                    # A batch whose answer was lost is sent again, and counts once.
                    models.UniqueConstraint(fields=["writer", "number"], name="diary_batch_is_written_once"),
                ],
            },
        ),
    ]
