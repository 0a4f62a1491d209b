"""Bodies, the messages that have them, their earlier stays, and what imports brought in."""

import django.db.models.deletion
from django.db import migrations, models

WHY = [
    ("dele", "deleted by a device"),
    ("every", "every device has it"),
    ("settled", "a device is waited for no more, and all others have deleted it"),
    ("expired", "expired by retention policy"),
    ("had", "expired: every device has had it for long enough"),
    ("relief", "quota relief"),
    ("person", "removed by the owner, in the pages"),
]


class Migration(migrations.Migration):
    replaces = [
        ("mailstore", "0011_recovery"),
        ("mailstore", "0012_recovery_sums"),
        ("mailstore", "0020_earlier_stays"),
        ("mailstore", "0022_no_index_by_time_of_removal"),
        ("mailstore", "0026_why_mail_left"),
        ("mailstore", "0029_settled_mail"),
    ]
    dependencies = [("mailstore", "0004_aliases")]

    operations = [
        migrations.CreateModel(
            name="Body",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # Its index: fsck and the adoption of bodies, which have a file and look for its row.
                ("key", models.TextField(unique=True, verbose_name="key")),
                ("wire_octets", models.BigIntegerField(verbose_name="octets at rest, dot-stuffed")),
                ("octets", models.BigIntegerField(verbose_name="octets, unstuffed")),
                ("digest", models.BinaryField(max_length=16, verbose_name="XXH3-128 of the octets at rest")),
                ("subject", models.TextField(blank=True, editable=False, null=True, verbose_name="subject")),
                ("sender", models.TextField(blank=True, editable=False, null=True, verbose_name="sender")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("unreferenced_at", models.DateTimeField(blank=True, null=True, verbose_name="last row left")),
            ],
            options={
                "verbose_name": "body",
                "verbose_name_plural": "bodies",
                "indexes": [
                    # The sweep: bodies whose last row left more than a day ago.
                    models.Index(
                        fields=["unreferenced_at"],
                        condition=models.Q(unreferenced_at__isnull=False),
                        name="body_unreferenced",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # No constraint: its check would read the whole table at each removal of a mailbox, as every index here
                # is partial, or cost each delivery one more index.
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
                # Its index: a purge asks which other messages have the body.
                (
                    "body",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="mailstore.body", verbose_name="body"
                    ),
                ),
                ("uidl", models.CharField(max_length=70, verbose_name="UIDL")),
                ("prefix", models.BinaryField(verbose_name="delivery headers, in wire form")),
                ("octets", models.BigIntegerField(verbose_name="octets")),
                ("arrived_at", models.DateTimeField(verbose_name="arrived")),
                ("aged_from", models.DateTimeField(blank=True, null=True, verbose_name="aged from")),
                # The stay: live from `added` (included) until `removed` (excluded).
                ("added", models.BigIntegerField(verbose_name="arrival's change number")),
                ("removed", models.BigIntegerField(blank=True, null=True, verbose_name="removal's change number")),
                ("removed_at", models.DateTimeField(blank=True, null=True, verbose_name="removed")),
                (
                    "removed_why",
                    models.CharField(blank=True, choices=WHY, default="", max_length=7, verbose_name="why"),
                ),
                # No constraint: a device row goes only with its mailbox.
                (
                    "removed_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="mailstore.device",
                        verbose_name="removed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "message",
                "verbose_name_plural": "messages",
                "constraints": [
                    # A change number is given once. Its index is the list of a session: live messages in order. With
                    # what is included, the sweep and previews judge a mailbox without reading its rows.
                    models.UniqueConstraint(
                        fields=["mailbox", "added"],
                        include=["arrived_at", "aged_from", "octets"],
                        condition=models.Q(removed__isnull=True),
                        name="message_one_change_one_arrival",
                    ),
                    # RFC 1939 §7: within a maildrop, a UIDL names one message.
                    models.UniqueConstraint(
                        fields=["mailbox", "uidl"],
                        condition=models.Q(removed__isnull=True),
                        name="message_uidl_once_in_a_maildrop",
                    ),
                    # A session at a change number sees exactly the stays around it, so that no stay is empty.
                    models.CheckConstraint(
                        condition=models.Q(removed__isnull=True, removed_at__isnull=True)
                        | models.Q(removed__gt=models.F("added"), removed_at__isnull=False),
                        name="message_removed_after_it_was_added",
                    ),
                    models.CheckConstraint(condition=models.Q(octets__gte=0), name="message_octets_not_negative"),
                ],
                "indexes": [
                    # The list of a session: messages that left after it opened. The owner's recovery page. The sweep,
                    # which looks first at what left first.
                    models.Index(
                        fields=["mailbox", "removed"],
                        condition=models.Q(removed__isnull=False),
                        name="message_recovery",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EarlierStay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "mailbox",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="mailstore.mailbox",
                        verbose_name="mailbox",
                    ),
                ),
                # No constraint: each message that a purge destroys would pay for its check.
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
                ("uidl", models.CharField(max_length=70, verbose_name="UIDL")),
                ("added", models.BigIntegerField(verbose_name="arrival's change number")),
                ("removed", models.BigIntegerField(verbose_name="removal's change number")),
                ("removed_at", models.DateTimeField(verbose_name="removed")),
                ("removed_why", models.CharField(choices=WHY, max_length=7, verbose_name="why")),
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
                ("restored_at", models.DateTimeField(verbose_name="restored")),
            ],
            options={
                "verbose_name": "earlier stay",
                "verbose_name_plural": "earlier stays",
                "constraints": [
                    # As of messages.
                    models.CheckConstraint(
                        condition=models.Q(removed__gt=models.F("added")),
                        name="earlier_stay_removed_after_it_was_added",
                    ),
                ],
                "indexes": [
                    # The list of a session: stays that ended after it opened. The sweep: what is older than the diary.
                    models.Index(fields=["mailbox", "removed"], name="earlier_stay_of_a_mailbox"),
                    # The history of a message, and its purge.
                    models.Index(fields=["message"], name="earlier_stay_of_a_message"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportedSource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "mailbox",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="mailstore.mailbox",
                        verbose_name="mailbox",
                    ),
                ),
                ("source", models.BinaryField(max_length=16, verbose_name="digest of the source's identity")),
            ],
            options={
                "verbose_name": "imported source",
                "verbose_name_plural": "imported sources",
                "constraints": [
                    # A second run of an import brings nothing twice, and no occasion has two notices.
                    models.UniqueConstraint(fields=["mailbox", "source"], name="imported_source_once"),
                ],
            },
        ),
    ]
