"""The state of the site: sums by day, holdings, which parts are at work, what they serve, and passes of the sweep."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tally(models.Model):
    """The sums of one domain on one day (UTC). The sweep writes them, and counts each delivery and each hour once."""

    day = models.DateField(_("day"))
    domain = models.ForeignKey("mailstore.Domain", models.CASCADE, verbose_name=_("domain"), db_index=False)
    deliveries = models.BigIntegerField(_("deliveries"), default=0)
    octets = models.BigIntegerField(_("size"), default=0)
    sign_ins = models.BigIntegerField(_("sign-ins"), default=0)
    refused = models.BigIntegerField(_("refused sign-ins"), default=0)
    undelivered = models.BigIntegerField(_("mail refused or deferred"), default=0, db_default=0)
    undelivered_full = models.BigIntegerField(_("of them because something was full"), default=0, db_default=0)
    stored_octets = models.BigIntegerField(_("stored at the end of the day"), null=True)  # by the last pass of the day

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = [models.UniqueConstraint(fields=["day", "domain"], name="tally_once_a_day")]
        indexes = [
            # The list of domains, sorted by what was delivered lately: it reads this index and no row.
            models.Index(fields=["domain", "day"], include=["deliveries"], name="tally_of_a_domain"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.domain_id}"


class TallyMark(models.Model):
    """How far the sweep has counted, in one row: messages by primary key, sessions and answers by hours."""

    message = models.BigIntegerField(default=0)
    hours_until = models.DateTimeField(null=True)
    counted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.counted_at)


class RenameCount(models.Model):
    """How many renames of mailboxes and domains there were, in one row, written in the transaction of each.

    A lookup of a recipient that takes several statements tells by it whether they saw the same names.
    """

    renames = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.renames)


class HoldingsCache(models.Model):
    """What all mailboxes of a large site hold together, as counted last."""

    counted_at = models.DateTimeField()
    figures = models.JSONField(default=dict)

    def __str__(self) -> str:
        return str(self.counted_at)


class MailFlow(models.Model):
    """Which MTA `mta setup` has set up, and what the last `mta check` found, in one row.

    `results` is the JSON of each check, in order.
    """

    mta = models.CharField(_("MTA"), max_length=10, blank=True, default="")
    set_up_at = models.DateTimeField(_("set up"), null=True, blank=True)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    results = models.JSONField(_("results"), default=list)

    class Meta:
        verbose_name = _("mail flow")
        verbose_name_plural = _("mail flows")

    def __str__(self) -> str:
        return f"{self.mta} {self.checked_at}"


class Heartbeat(models.Model):
    """A part of the site, on any machine, that says every half minute that it is at work."""

    part = models.CharField(_("part"), max_length=10, unique=True)
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.part


class ListenerCertificates(models.Model):
    """The certificates that one POP3 listener serves, as it said last: `certificates` is their JSON.

    `listener` is its machine and its first address: the same after a restart.
    """

    listener = models.TextField(_("listener"), unique=True)
    seen_at = models.DateTimeField(_("last seen"))
    certificates = models.JSONField(_("certificates"), default=list)

    class Meta:
        verbose_name = _("certificates of a listener")
        verbose_name_plural = _("certificates of listeners")

    def __str__(self) -> str:
        return self.listener


class SweepPass(models.Model):
    """One pass of the sweep that was not cut short. `figures` is what `sweep --json` prints."""

    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"))
    figures = models.JSONField(_("figures"), default=dict)

    class Meta:
        verbose_name = _("pass of the sweep")
        verbose_name_plural = _("passes of the sweep")
        get_latest_by = "pk"

    def __str__(self) -> str:
        return str(self.started_at)
