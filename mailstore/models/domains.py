"""Domains of customers."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from mailstore.models.policies import RetentionPolicy


class Domain(models.Model):
    """A mail domain of a customer. With `removed_at` it behaves as if it did not exist, but its name stays taken."""

    class OverQuota(models.TextChoices):
        DEFER = "defer", _("defer (the sender's server tries again)")
        REJECT = "reject", _("reject (the sender is told)")

    name = models.TextField(_("name"), unique=True)
    active = models.BooleanField(_("active"), default=True)
    over_quota = models.CharField(_("a full mailbox"), max_length=6, choices=OverQuota.choices, default=OverQuota.DEFER)
    mailbox_limit = models.PositiveIntegerField(_("mailboxes at most"), null=True, blank=True)
    alias_limit = models.PositiveIntegerField(_("aliases at most"), null=True, blank=True)
    quota_octets = models.BigIntegerField(_("stored at most"), null=True, blank=True)
    allotment_octets = models.BigIntegerField(_("all quotas together at most"), null=True, blank=True)
    mailbox_quota_default = models.BigIntegerField(_("quota of a new mailbox"), null=True, blank=True)
    mailbox_quota_most = models.BigIntegerField(_("quota of one mailbox at most"), null=True, blank=True)
    mailbox_send_hourly = models.PositiveIntegerField(
        _("messages that one mailbox sends an hour at most"), null=True, blank=True
    )
    mailbox_send_daily = models.PositiveIntegerField(
        _("messages that one mailbox sends a day at most"), null=True, blank=True
    )
    send_hourly = models.PositiveIntegerField(
        _("messages that all mailboxes together send an hour at most"), null=True, blank=True
    )
    send_daily = models.PositiveIntegerField(
        _("messages that all mailboxes together send a day at most"), null=True, blank=True
    )
    owner_forwards = models.BooleanField(_("owners may forward their mail"), default=False)
    # A removed alias domain may stand for a domain that is purged. Restored after that, it is an ordinary domain.
    stands_for = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="alias_domains", verbose_name=_("alias of")
    )
    policy = models.ForeignKey(
        RetentionPolicy, models.PROTECT, null=True, blank=True, verbose_name=_("retention policy")
    )
    policy_since = models.DateTimeField(
        null=True, editable=False
    )  # when the policy was chosen; NULL: it holds for old mail at once
    # Mailboxes with a MailboxMove are moved from there. NULL: nothing moves.
    old_server = models.TextField(_("old server"), null=True, blank=True)  # noqa: DJ001 - NULL is "none"
    old_server_until = models.DateTimeField(_("last day of the old server"), null=True, blank=True)
    old_server_local = models.BooleanField(_("short user names on the old server"), default=False, db_default=False)
    alias_sign_in = models.BooleanField(_("sign-in by alias"), default=False, db_default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True, editable=False)
    removed_by = models.CharField(_("removed by"), max_length=254, blank=True, editable=False)
    purge_requested_at = models.DateTimeField(null=True, editable=False)  # somebody asked to purge it before its time

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")
        constraints = [
            models.CheckConstraint(condition=models.Q(name=Lower("name")), name="domain_name_lower_case"),
            models.CheckConstraint(
                condition=models.Q(stands_for__isnull=True) | ~models.Q(stands_for=models.F("id")),
                name="domain_never_stands_for_itself",
            ),
        ]
        indexes = [
            # The search of the lists, by any three characters of the name.
            GinIndex(OpClass("name", "gin_trgm_ops"), name="domain_search"),
        ]

    def __str__(self) -> str:
        return self.name


class DnsLookup(models.Model):
    """What DNS said of the records of a domain when somebody last asked, for the page about them.

    `answers` has a list for each question: name, kind, outcome, and the data that was found.
    """

    domain = models.OneToOneField(Domain, models.CASCADE, primary_key=True, verbose_name=_("domain"))
    looked_up_at = models.DateTimeField(_("looked up"))
    answers = models.JSONField(_("answers"))

    class Meta:
        verbose_name = _("DNS look-up")
        verbose_name_plural = _("DNS look-ups")

    def __str__(self) -> str:
        return f"{self.domain_id} {self.looked_up_at}"
