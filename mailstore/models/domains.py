"""Domains, the retention policies they and their mailboxes follow, and aliases."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower, Upper
from django.utils.translation import gettext_lazy as _

from mailstore.models.columns import NOT_ASCII, joined


class RetentionPolicy(models.Model):
    """How long mail stays. A mailbox follows its own policy, else its domain's, else the site's, else keeps all.

    The clocks (`expire_since` and the others) say when a rule was saved that removes mail earlier than before. Mail
    that was there ages from then on. NULL: the rule holds at once, or removes no mail earlier.
    """

    class Relief(models.TextChoices):
        NEVER = "never", _("no: a full mailbox takes no mail")
        EVERY = "every", _("yes, the oldest mail that every device has")
        ONE = "one", _("yes, and if that is not enough, the oldest that one device has")

    name = models.CharField(_("name"), max_length=100, unique=True)
    site = models.BooleanField(_("site fallback"), default=False)
    offered = models.BooleanField(_("offered to domain admins"), default=False)
    expire_days = models.PositiveIntegerField(_("expire, days after arrival"), null=True, blank=True)
    expire_confirmed_days = models.PositiveIntegerField(
        _("expire, days after every device has it"), null=True, blank=True
    )
    expire_unfetched = models.BooleanField(_("unfetched mail may expire"), default=False)
    remove_when_confirmed = models.BooleanField(_("remove when every device has it"), default=False)
    hold_days = models.PositiveIntegerField(_("minimum hold, days"), default=7)
    silent_days = models.PositiveIntegerField(_("a device stops counting, days of silence"), default=45)
    relief = models.CharField(
        _("make room in a full mailbox"), max_length=5, choices=Relief.choices, default=Relief.NEVER
    )
    recovery_days = models.PositiveIntegerField(_("recovery, days"), default=30)
    recovery_octets = models.BigIntegerField(_("recovery, size at most"), null=True, blank=True)
    diary_days = models.PositiveIntegerField(_("diary, days"), default=90)
    expire_since = models.DateTimeField(null=True, editable=False)
    expire_confirmed_since = models.DateTimeField(null=True, editable=False)
    remove_since = models.DateTimeField(null=True, editable=False)
    recovery_since = models.DateTimeField(null=True, editable=False)
    cap_since = models.DateTimeField(null=True, editable=False)
    site_since = models.DateTimeField(null=True, editable=False)
    saved_at = models.DateTimeField(_("saved"), auto_now=True)

    class Meta:
        verbose_name = _("retention policy")
        verbose_name_plural = _("retention policies")
        constraints = [
            models.UniqueConstraint(
                fields=["site"], condition=models.Q(site=True), name="retention_policy_one_site_fallback"
            ),
            models.CheckConstraint(
                condition=models.Q(expire_days__isnull=True) | models.Q(expire_days__gt=0),
                name="retention_policy_never_expire_0",  # RFC 2449 §6.7: EXPIRE 0 forbids leaving mail on the server
            ),
            models.CheckConstraint(
                condition=models.Q(expire_confirmed_days__isnull=True) | models.Q(expire_confirmed_days__gt=0),
                name="retention_policy_never_expire_confirmed_0",
            ),
            models.CheckConstraint(
                condition=models.Q(recovery_octets__isnull=True) | models.Q(recovery_octets__gte=0),
                name="retention_policy_recovery_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Domain(models.Model):
    """A mail domain of a customer. With `removed_at` it is as if absent, but its name stays taken."""

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


class Alias(models.Model):
    """An address that stands for others. `@domain` is the catch-all of a domain: it answers for unknown names.

    An alias with a `mailbox` is the forward of that mailbox, and has its address. With `keep_copy` the mailbox gets the
    mail too.
    """

    address = models.TextField(_("address"), unique=True)
    domain = models.ForeignKey(Domain, models.CASCADE, verbose_name=_("domain"))
    targets = ArrayField(models.TextField(), verbose_name=_("targets"))
    mailbox = models.OneToOneField(
        "mailstore.Mailbox",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="forward",
        verbose_name=_("forward of the mailbox"),
    )
    keep_copy = models.BooleanField(_("keep a copy"), default=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    comment = models.CharField(_("comment"), max_length=200, blank=True)
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        constraints = [
            models.CheckConstraint(condition=models.Q(address=Lower("address")), name="alias_address_lower_case"),
            models.CheckConstraint(condition=models.Q(targets__len__gt=0), name="alias_has_a_target"),
            models.CheckConstraint(
                condition=models.Q(keep_copy=False) | models.Q(mailbox__isnull=False),
                name="alias_copy_only_in_a_mailbox",
            ),
        ]
        indexes = [
            # The sweep: aliases that expired long ago.
            models.Index(fields=["expires_at"], condition=models.Q(expires_at__isnull=False), name="alias_expiring"),
            # Addresses that a new address in the domain could be mistaken for.
            models.Index(fields=["domain"], condition=NOT_ASCII, name="alias_not_ascii"),
            # The search of the list, by any three characters of an address, a target or the comment, in any case.
            GinIndex(
                OpClass("address", "gin_trgm_ops"),
                OpClass(joined("targets"), "gin_trgm_ops"),
                OpClass(Upper("comment"), "gin_trgm_ops"),
                name="alias_search",
            ),
            # The orders of the list.
            models.Index(fields=["created_at", "id"], name="alias_by_age"),
            models.Index(fields=["comment", "id"], name="alias_by_comment"),
            # The filter for aliases that are switched off.
            models.Index(fields=["address"], condition=models.Q(active=False), name="alias_off"),
        ]

    def __str__(self) -> str:
        return self.address
