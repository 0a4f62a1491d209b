"""The trace: each answer that a sender got for a recipient, with the indexes of its searches."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


def plain(text: str) -> models.Func:
    """Return what `mailstore.models.columns.plain` was at this migration."""
    return models.Func(text, function="mailstore_plain", arg_joiner=" || ' ' || ", output_field=models.TextField())


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0109_mail_that_does_not_arrive")]

    operations = [
        migrations.CreateModel(
            name="TraceEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="time")),
                ("first_at", models.DateTimeField(verbose_name="first")),
                ("tries", models.BigIntegerField(default=1, verbose_name="how often")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("lmtp", "LMTP"),
                            ("pipe", "the command deliver"),
                            ("notice", "our own notice"),
                            ("mta", "log of the mail server"),
                        ],
                        max_length=6,
                        verbose_name="source",
                    ),
                ),
                (
                    "answer",
                    models.CharField(
                        choices=[
                            ("delivered", "Delivered"),
                            ("deferred", "Deferred"),
                            ("refused", "Refused"),
                            ("unrecorded", "Not recorded"),
                        ],
                        max_length=10,
                        verbose_name="answer",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("full", "mailbox full"),
                            ("domain-full", "domain full"),
                            ("disk", "the mail store has no room"),
                            ("database", "database or mail store away"),
                            ("busy", "too much to do"),
                            ("outside", "an alias leads outside"),
                            ("trouble", "internal trouble"),
                            ("many", "too many recipients in one message"),
                            ("unknown", "no such mailbox"),
                            ("no-domain", "the domain is not hosted here"),
                            ("removed", "the mailbox was removed"),
                            ("alias-expired", "the alias has expired"),
                            ("alias-off", "the alias is switched off"),
                            ("closed", "the mailbox receives nothing"),
                            ("domain-off", "the domain is suspended"),
                            ("too-large", "larger than the site takes"),
                            ("loop", "the message goes in a circle"),
                            ("address", "not an address"),
                            ("utf8", "an address in UTF-8 without SMTPUTF8"),
                            ("rejected", "rejected by the mail server"),
                            ("queued", "waits in the queue of the mail server"),
                            ("bounced", "returned by the mail server"),
                        ],
                        default="",
                        max_length=13,
                        verbose_name="reason",
                    ),
                ),
                ("reply", models.TextField(blank=True, default="", verbose_name="reply")),
                ("sender", models.TextField(blank=True, default="", verbose_name="sender")),
                ("recipient", models.TextField(blank=True, default="", verbose_name="recipient")),
                ("copy", models.BooleanField(default=False, verbose_name="copy")),
                ("mailbox_count", models.IntegerField(default=1, verbose_name="mailboxes")),
                (
                    "via",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), default=list, size=None, verbose_name="by way of"
                    ),
                ),
                ("octets", models.BigIntegerField(null=True, verbose_name="size")),
                ("announced_octets", models.BigIntegerField(null=True, verbose_name="size as announced")),
                ("message_id", models.TextField(blank=True, default="", verbose_name="Message-ID")),
                ("queue_id", models.CharField(blank=True, default="", max_length=70, verbose_name="queue id")),
                ("uidl", models.CharField(blank=True, default="", max_length=70, verbose_name="UIDL")),
                (
                    "mta_id",
                    models.CharField(blank=True, default="", max_length=64, verbose_name="queue id of the mail server"),
                ),
                ("client", models.TextField(blank=True, default="", verbose_name="client")),
                ("origin", models.TextField(blank=True, default="", verbose_name="sending server")),
                (
                    "pair",
                    models.BigIntegerField(null=True, verbose_name="digest of sender, recipient and announced size"),
                ),
                ("fold_key", models.BinaryField(max_length=16, null=True, unique=True)),
                (
                    "domain",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="mailstore.domain",
                        verbose_name="domain",
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="mailstore.mailbox",
                        verbose_name="mailbox",
                    ),
                ),
            ],
            options={
                "verbose_name": "trace entry",
                "verbose_name_plural": "trace",
                "indexes": [
                    models.Index(condition=models.Q(("copy", False)), fields=["-at", "-id"], name="trace_by_time"),
                    models.Index(
                        condition=models.Q(("copy", False), models.Q(("answer", "delivered"), _negated=True)),
                        fields=["answer", "-at"],
                        name="trace_not_delivered",
                    ),
                    models.Index(fields=["domain", "-at"], name="trace_of_a_domain"),
                    models.Index(fields=["mailbox", "-at"], name="trace_of_a_mailbox"),
                    models.Index(fields=["pair", "-at"], name="trace_tries"),
                    models.Index(condition=models.Q(("copy", True)), fields=["queue_id"], name="trace_copies"),
                    models.Index(
                        condition=models.Q(("mta_id", ""), _negated=True), fields=["mta_id"], name="trace_by_mta_id"
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(
                            plain("sender"),
                            "gin_trgm_ops",
                        ),
                        name="trace_sender_search",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(
                            plain("recipient"),
                            "gin_trgm_ops",
                        ),
                        name="trace_recipient_search",
                    ),
                ],
            },
        ),
    ]
