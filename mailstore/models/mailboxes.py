"""Mailboxes, and the devices that see them. Only statements in `sql` write counters and change numbers."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from mailstore.models.columns import ChangeRanges


class Mailbox(models.Model):
    """A user's account for mail. `messages` and `octets` count the live maildrop, hidden mail included.

    `recovery_messages` and `recovery_octets` count the mail that left it and can still be restored. `change` is the
    number of the last change (arrival, removal, hiding, restore); the lock of the row orders the changes. With
    `removed_at` the mailbox behaves as if it did not exist, but its address stays taken.
    """

    user = models.OneToOneField("mailstore.User", models.CASCADE, verbose_name=_("user"))
    domain = models.ForeignKey("mailstore.Domain", models.PROTECT, verbose_name=_("domain"))
    quota_octets = models.BigIntegerField(_("quota"), null=True, blank=True)
    quota_messages = models.BigIntegerField(_("quota, messages"), null=True, blank=True)
    octets = models.BigIntegerField(_("size"), default=0, editable=False)
    messages = models.BigIntegerField(_("messages"), default=0, editable=False)
    recovery_messages = models.BigIntegerField(_("messages in recovery"), default=0, editable=False)
    recovery_octets = models.BigIntegerField(_("size of recovery"), default=0, editable=False)
    change = models.BigIntegerField(_("last change"), default=0, editable=False)
    # The last UIDL made here that no message has any more: the message was purged, or restored under a new UIDL. UIDLs
    # are ordered by time, so this one stands for all before it (`transfer/spent_uidls.py`).
    spent_uidl = models.CharField(max_length=26, default="", blank=True, editable=False)
    receives = models.BooleanField(_("receives mail"), default=True)
    pop = models.BooleanField(_("POP sign-in"), default=True)
    web = models.BooleanField(_("web sign-in"), default=True)
    main_pop = models.BooleanField(_("POP sign-in with the main password"), default=True)
    smtp = models.BooleanField(_("SMTP sign-in, to send"), default=True, db_default=True)
    # NULL: what the domain says of each of its mailboxes.
    send_hourly = models.PositiveIntegerField(_("messages sent an hour at most"), null=True, blank=True)
    send_daily = models.PositiveIntegerField(_("messages sent a day at most"), null=True, blank=True)
    held = models.BooleanField(_("on hold"), default=False)
    policy = models.ForeignKey(
        "mailstore.RetentionPolicy", models.PROTECT, null=True, blank=True, verbose_name=_("retention policy")
    )
    policy_since = models.DateTimeField(null=True, editable=False)  # as Domain.policy_since
    quota_lowered_at = models.DateTimeField(null=True, editable=False)  # last; a cap of recovery then waits for a week
    warned_percent = models.PositiveSmallIntegerField(default=0, editable=False)  # the limit of the last warning
    warned_at = models.DateTimeField(null=True, editable=False)
    # The mailbox had no room for the warning, which comes as soon as it has.
    warning_waits = models.BooleanField(default=False, db_default=False, editable=False)
    looped_at = models.DateTimeField(null=True, editable=False)  # when a message last came back; a minute late at most
    notes = models.TextField(_("notes"), blank=True, max_length=2000)
    # The last of any device, late by five minutes at most. Lists show it and sort by it. It must be in no index: each
    # sign-in would write all indexes of the row (no heap-only update). The same goes for `messages` and `octets`.
    last_sign_in_at = models.DateTimeField(_("last sign-in"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True, editable=False)
    removed_by = models.CharField(_("removed by"), max_length=254, blank=True, editable=False)
    purge_requested_at = models.DateTimeField(null=True, editable=False)  # somebody asked to purge it before its time
    removed_with_domain = models.BooleanField(_("removed with its domain"), default=False, editable=False)

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        constraints = [
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
            models.CheckConstraint(
                condition=models.Q(removed_with_domain=False) | models.Q(removed_at__isnull=False),
                name="mailbox_removed_with_its_domain_is_removed",
            ),
        ]
        indexes = [
            # The sweep, and the list of removed mailboxes.
            models.Index(fields=["removed_at"], condition=models.Q(removed_at__isnull=False), name="mailbox_removed"),
            # The overview: mailboxes to which mail came back lately.
            models.Index(fields=["looped_at"], condition=models.Q(looped_at__isnull=False), name="mailbox_looped"),
        ]

    def __str__(self) -> str:
        return self.user.address


class Device(models.Model):
    """A named credential of a mailbox with a view of its own; the main password is the device `main`.

    A view keeps only exceptions: `hidden` is the set of arrival numbers (Message.added) that this device does not see.
    `hidden_messages` and `hidden_octets` count the live ones among them, so that STAT needs no list. `skipped` is the
    mail that was left out when the device started: it never saw that mail, and so has not deleted it.
    """

    class Mode(models.TextChoices):
        INDEPENDENT = "independent", _("independent: deleting hides mail from this device only")
        PRIMARY = "primary", _("primary: deleting removes mail for every device")
        PEEK = "peek", _("peek: never counts, deleting hides mail here only")

    class Kind(models.TextChoices):
        PHONE = "phone", _("phone")
        TABLET = "tablet", _("tablet")
        LAPTOP = "laptop", _("laptop")
        PC = "pc", _("desktop computer")
        OTHER = "other", _("something else")

    mailbox = models.ForeignKey("mailstore.Mailbox", models.CASCADE, verbose_name=_("mailbox"))
    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(  # as people say; only the icon on the pages depends on it
        _("kind"), max_length=6, choices=Kind.choices, default=Kind.OTHER, db_default=Kind.OTHER.value
    )
    main = models.BooleanField(_("main password"), default=False)
    mode = models.CharField(_("mode"), max_length=11, choices=Mode.choices, default=Mode.INDEPENDENT)
    selector = models.CharField(_("selector"), max_length=16, null=True, unique=True, editable=False)  # noqa: DJ001 - NULL is "no secret of its own", and unique
    # Of a device's own password. The main password may send as long as mail programs may use it (Mailbox.main_pop).
    may_send = models.BooleanField(_("may send mail"), default=False, db_default=False)
    digest = models.BinaryField(_("digest of the secret"), null=True, editable=False)
    hidden = ChangeRanges(_("hidden"), default="{}", editable=False)
    skipped = ChangeRanges(_("left out by its start"), default="{}", editable=False)
    hidden_messages = models.BigIntegerField(default=0, editable=False)
    hidden_octets = models.BigIntegerField(default=0, editable=False)
    confirmed = ChangeRanges(_("confirmed"), default="{}", editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_sign_in_at = models.DateTimeField(_("last sign-in"), null=True, blank=True)
    silence_notified_at = models.DateTimeField(null=True, editable=False)  # when the owner got the notice
    silent_since = models.DateTimeField(_("silent"), null=True, editable=False)  # since when it does not count
    last_client = models.GenericIPAddressField(_("last address"), null=True, blank=True)

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox"], condition=models.Q(main=True), name="device_one_main_per_mailbox"
            ),
            models.UniqueConstraint(
                "mailbox", Lower("name"), condition=models.Q(revoked_at=None), name="device_name_once_per_mailbox"
            ),
            models.CheckConstraint(
                condition=models.Q(main=True, digest=None)
                | models.Q(main=False, selector__isnull=False, digest__isnull=False),
                name="device_has_a_secret_unless_main",
            ),
            models.CheckConstraint(
                condition=models.Q(hidden_messages__gte=0, hidden_octets__gte=0),
                name="device_hidden_counters_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def sends(self) -> bool:
        """Return whether the outgoing server lets its own password in: the device may send, and so may its mailbox."""
        return self.may_send and self.mailbox.smtp


class ProfileLink(models.Model):
    """A link to the profile that sets up a device, for one use. The next one for the same device replaces it.

    `sealed` is the device's secret, encrypted with the link itself, of which only the `digest` is kept: whoever reads
    the row learns nothing.
    """

    device = models.OneToOneField(Device, models.CASCADE, primary_key=True, verbose_name=_("device"))
    digest = models.BinaryField(_("digest of the link"), unique=True)
    sealed = models.BinaryField(_("sealed secret"))
    ends_at = models.DateTimeField(_("ends"))

    class Meta:
        verbose_name = _("profile link")
        verbose_name_plural = _("profile links")

    def __str__(self) -> str:
        return f"{self.device_id} {self.ends_at}"


class DeviceCoverage(models.Model):
    """Arrival numbers that every counting device of a mailbox has had since then, without a break.

    The sweep writes it where a policy asks for it. `since` is the end of a day, so a mailbox has at most a row a day.
    """

    # No constraint: its check would wait for the lock of one mailbox while it holds the locks of others.
    mailbox = models.ForeignKey("mailstore.Mailbox", models.CASCADE, db_constraint=False, db_index=False)
    since = models.DateTimeField()
    numbers = ChangeRanges()

    class Meta:
        verbose_name = _("device coverage")
        verbose_name_plural = _("device coverage")
        constraints = [models.UniqueConstraint(fields=["mailbox", "since"], name="device_coverage_once_a_day")]

    def __str__(self) -> str:
        return f"{self.mailbox_id} {self.since}"
