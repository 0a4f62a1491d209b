"""Retention policies, which domains and mailboxes follow."""

from django.db import models
from django.utils.translation import gettext_lazy as _


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
    site = models.BooleanField(_("site policy"), default=False)
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
