"""What the overview shows: sums by day, holdings, which parts of the site are at work, and passes of the sweep."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tally(models.Model):
    """Of one domain on one day (UTC). Written by the sweep, which counts each delivery and each hour once."""

    day = models.DateField(_("day"))
    domain = models.ForeignKey("mailstore.Domain", models.CASCADE, verbose_name=_("domain"), db_index=False)
    deliveries = models.BigIntegerField(_("deliveries"), default=0)
    octets = models.BigIntegerField(_("size"), default=0)
    sign_ins = models.BigIntegerField(_("sign-ins"), default=0)
    refused = models.BigIntegerField(_("refused sign-ins"), default=0)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = [models.UniqueConstraint(fields=["day", "domain"], name="tally_once_a_day")]
        indexes = [
            # What was delivered to each of many domains lately: the list of domains in that order reads no row.
            models.Index(fields=["domain", "day"], include=["deliveries"], name="tally_of_a_domain"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.domain_id}"


class TallyMark(models.Model):
    """How far the tallies have come: the one row. Messages by primary key, sessions by the hour they began."""

    message = models.BigIntegerField(default=0)
    sessions_until = models.DateTimeField(null=True)
    counted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.counted_at)


class KeptHoldings(models.Model):
    """What all mailboxes together hold, as the overview of a large site counted it last: the one row."""

    counted_at = models.DateTimeField()
    figures = models.JSONField(default=dict)

    def __str__(self) -> str:
        return str(self.counted_at)


class Heartbeat(models.Model):
    """A part of the site says every half minute that it is at work; by the database, so from any machine."""

    part = models.CharField(_("part"), max_length=10, unique=True)
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.part


class SweepPass(models.Model):
    """One pass that was not stopped. `figures` is what `sweep --json` prints."""

    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"))
    figures = models.JSONField(_("figures"), default=dict)

    class Meta:
        verbose_name = _("pass of the sweep")
        verbose_name_plural = _("passes of the sweep")
        get_latest_by = "pk"

    def __str__(self) -> str:
        return str(self.started_at)
