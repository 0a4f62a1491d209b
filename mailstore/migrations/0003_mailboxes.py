"""Mailboxes with their counters, and the devices that see them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Lower

from mailstore.models.columns import ChangeRanges


class Migration(migrations.Migration):
    replaces = [
        ("mailstore", "0002_removal"),
        ("mailstore", "0006_mailbox_pages"),
        ("mailstore", "0007_last_sign_ins"),
        ("mailstore", "0018_plain_sets"),
        ("mailstore", "0025_purge_asked"),
    ]
    dependencies = [("mailstore", "0002_domains")]

    operations = [
        migrations.CreateModel(
            name="Mailbox",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # Its index: the mailbox of a user, at each sign-in and for each recipient.
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL, verbose_name="user"
                    ),
                ),
                # Its index: the mailboxes of a domain, in lists, for its caps and its quota.
                (
                    "domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="mailstore.domain", verbose_name="domain"
                    ),
                ),
                # The counters: written by the mail path only, under the row's lock.
                ("octets", models.BigIntegerField(default=0, editable=False, verbose_name="size")),
                ("messages", models.BigIntegerField(default=0, editable=False, verbose_name="messages")),
                (
                    "recovery_messages",
                    models.BigIntegerField(default=0, editable=False, verbose_name="messages in recovery"),
                ),
                ("recovery_octets", models.BigIntegerField(default=0, editable=False, verbose_name="size of recovery")),
                ("change", models.BigIntegerField(default=0, editable=False, verbose_name="last change")),
                # The quotas, and the warnings of them.
                ("quota_octets", models.BigIntegerField(blank=True, null=True, verbose_name="quota")),
                ("quota_messages", models.BigIntegerField(blank=True, null=True, verbose_name="quota, messages")),
                ("quota_lowered_at", models.DateTimeField(editable=False, null=True)),
                ("warned_percent", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("warned_at", models.DateTimeField(editable=False, null=True)),
                # The switches.
                ("receives", models.BooleanField(default=True, verbose_name="receives mail")),
                ("pop", models.BooleanField(default=True, verbose_name="POP sign-in")),
                ("main_pop", models.BooleanField(default=True, verbose_name="POP sign-in with the main password")),
                ("web", models.BooleanField(default=True, verbose_name="web sign-in")),
                ("smtp", models.BooleanField(default=True, verbose_name="SMTP sign-in, to send")),
                ("held", models.BooleanField(default=False, verbose_name="on hold")),
                # Its index: which mailboxes follow a policy, on its page and in its forecast.
                (
                    "policy",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="mailstore.retentionpolicy",
                        verbose_name="retention policy",
                    ),
                ),
                ("policy_since", models.DateTimeField(editable=False, null=True)),
                ("notes", models.TextField(blank=True, max_length=2000, verbose_name="notes")),
                # Like the counters, it is in no index: each sign-in would write every index of the row anew.
                (
                    "last_sign_in_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last sign-in"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("removed_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="removed")),
                (
                    "removed_by",
                    models.CharField(blank=True, editable=False, max_length=254, verbose_name="removed by"),
                ),
                (
                    "removed_with_domain",
                    models.BooleanField(default=False, editable=False, verbose_name="removed with its domain"),
                ),
                ("purge_asked_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "mailbox",
                "verbose_name_plural": "mailboxes",
                "constraints": [
                    # A counter below zero is a bug: the statement that would write it fails instead.
                    models.CheckConstraint(
                        condition=models.Q(octets__gte=0, messages__gte=0), name="mailbox_counters_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(recovery_octets__gte=0, recovery_messages__gte=0),
                        name="mailbox_recovery_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(quota_octets__isnull=True) | models.Q(quota_octets__gte=0),
                        name="mailbox_quota_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(quota_messages__isnull=True) | models.Q(quota_messages__gte=0),
                        name="mailbox_message_quota_not_negative",
                    ),
                    # A domain that comes back brings back the mailboxes that were removed with it, and no others.
                    models.CheckConstraint(
                        condition=models.Q(removed_with_domain=False) | models.Q(removed_at__isnull=False),
                        name="mailbox_removed_with_its_domain_is_removed",
                    ),
                ],
                "indexes": [
                    # The sweep, and the list of removed mailboxes.
                    models.Index(
                        fields=["removed_at"], condition=models.Q(removed_at__isnull=False), name="mailbox_removed"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Device",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # Its index: the devices of a mailbox, at each sign-in, QUIT and step of the sweep.
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="mailstore.mailbox", verbose_name="mailbox"
                    ),
                ),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("main", models.BooleanField(default=False, verbose_name="main password")),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("independent", "independent: deleting hides mail from this device only"),
                            ("primary", "primary: deleting removes mail for every device"),
                            ("peek", "peek: never counts, deleting hides mail here only"),
                        ],
                        default="independent",
                        max_length=11,
                        verbose_name="mode",
                    ),
                ),
                # The first half of its secret. Its index: each sign-in with the secret of a device.
                (
                    "selector",
                    models.CharField(editable=False, max_length=16, null=True, unique=True, verbose_name="selector"),
                ),
                ("digest", models.BinaryField(null=True, verbose_name="digest of the secret")),
                # The view: sets of arrival numbers, and how many of the hidden ones are live.
                ("hidden", ChangeRanges(default="{}", editable=False, verbose_name="hidden")),
                ("skipped", ChangeRanges(default="{}", editable=False, verbose_name="left out by its start")),
                ("confirmed", ChangeRanges(default="{}", editable=False, verbose_name="confirmed")),
                ("hidden_messages", models.BigIntegerField(default=0, editable=False)),
                ("hidden_octets", models.BigIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked")),
                ("last_sign_in_at", models.DateTimeField(blank=True, null=True, verbose_name="last sign-in")),
                ("last_client", models.GenericIPAddressField(blank=True, null=True, verbose_name="last address")),
                ("silence_told_at", models.DateTimeField(editable=False, null=True)),
                ("silent_since", models.DateTimeField(editable=False, null=True, verbose_name="silent")),
            ],
            options={
                "verbose_name": "device",
                "verbose_name_plural": "devices",
                "constraints": [
                    # The main password has one view. Its index: the main device, at a sign-in with that password.
                    models.UniqueConstraint(
                        fields=["mailbox"], condition=models.Q(main=True), name="device_one_main_per_mailbox"
                    ),
                    # A name says which device is meant, at the shell and in the pages. Revoked ones free theirs.
                    models.UniqueConstraint(
                        "mailbox",
                        Lower("name"),
                        condition=models.Q(revoked_at=None),
                        name="device_name_once_per_mailbox",
                    ),
                    # The main device signs in by the password of the user, every other one by a secret of its own.
                    models.CheckConstraint(
                        condition=models.Q(main=True, digest=None)
                        | models.Q(main=False, selector__isnull=False, digest__isnull=False),
                        name="device_has_a_secret_unless_main",
                    ),
                    # As the counters of a mailbox.
                    models.CheckConstraint(
                        condition=models.Q(hidden_messages__gte=0, hidden_octets__gte=0),
                        name="device_hidden_counters_not_negative",
                    ),
                ],
            },
        ),
        # Compressing a large set costs a QUIT more than all the rest of it.
        migrations.RunSQL(
            "ALTER TABLE mailstore_device"
            " ALTER COLUMN hidden SET STORAGE EXTERNAL,"
            " ALTER COLUMN skipped SET STORAGE EXTERNAL,"
            " ALTER COLUMN confirmed SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
    ]
