"""Clients that the site turns away day after day, and a port for old ones. Only hosting admins see these faults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.models import RefusedName
from popadmin.panel.attention.fault import WARN, Fault, Rank, SiteEvidence, since_day
from popadmin.web.formats import count

NETWORKS_NAMED = 3


def crowds(evidence: SiteEvidence) -> Iterator[Fault]:
    """Yield one row for all networks in which an address has too many connections day after day."""
    if not evidence.crowded:
        return
    number = len(evidence.crowded)
    several = ngettext(
        "Connections from %(number)s network are refused every day",
        "Connections from %(number)s networks are refused every day",
        number,
    )
    one = _("Connections from %(network)s are refused every day") % {"network": evidence.crowded[0]}
    limit = _("An address there has more than %(most)d at the same time (POP3_MAX_CONNECTIONS_PER_IP).") % {
        "most": settings.POP3_MAX_CONNECTIONS_PER_IP
    }
    named = ", ".join(evidence.crowded[:NETWORKS_NAMED])
    yield Fault(
        rank=Rank.CROWD,
        level=WARN,
        text=one if number == 1 else several % {"number": count(number)},
        consequence=limit if number == 1 else f"{named}. {limit}",
        remedy=_("See limits"),
        url=f"{reverse('visits-names')}?kind=limits",
        when=since_day(_first_day(evidence.crowded)),
    )


def _first_day(networks: Sequence[str]) -> date | None:
    """Return the first of the days in a row on which one of these networks was refused."""
    rows = RefusedName.objects.filter(reason=RefusedName.Reason.CONNECTIONS, network__in=networks)
    days = [timezone.localdate(row.last_at) - timedelta(days=row.days - 1) for row in rows]
    return min(days, default=None)


def old_tls(_evidence: SiteEvidence) -> Iterator[Fault]:
    """Yield a row while POP3S_LEGACY_LISTEN opens a port."""
    if not settings.POP3S_LEGACY_LISTEN:
        return
    where = _("POP3S_LEGACY_LISTEN is %(addresses)s.") % {"addresses": ", ".join(settings.POP3S_LEGACY_LISTEN)}
    advice = _("Passwords are less safe there. Close it when no old device is left.")
    yield Fault(
        rank=Rank.OLD_TLS,
        level=WARN,
        text=_("A port is open for TLS 1.0 and 1.1"),
        consequence=f"{where} {advice}",
        remedy=_("See parts"),
        url=reverse("overview-parts"),
    )
