"""Since which day domains store as much as now: from what the sweep noted each day, and the audit of their quotas."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta

from mailstore.models import AuditEntry, Tally
from popadmin.panel.domain_rooms import CapUse
from popadmin.web.usage_share import FULL_PERCENT

_ONE = timedelta(days=1)


def since(uses: Collection[CapUse], percent: int, *, now: datetime) -> dict[int, date]:
    """Return the first day (UTC) since which each domain stores at least `percent` of its quota, by its key.

    A domain is missing where nobody knows: it did so on each day that was noted, or the sweep has not run lately. Each
    day is judged by the quota that it had. Two statements.
    """
    noted, quotas = _noted([use.domain for use in uses]), _quotas([use.domain for use in uses])
    found = {use.domain: _first_day(noted[use.domain], quotas[use.domain], use.cap, percent, now) for use in uses}
    return {domain: day for domain, day in found.items() if day is not None}


def _first_day(
    noted: Sequence[tuple[date, int]], quotas: Sequence[tuple[date, int | None]], cap: int, percent: int, now: datetime
) -> date | None:
    """Walk back from today. `noted` are days with the octets stored, `quotas` days with the quota before a change."""
    today = now.astimezone(UTC).date()
    if not noted or noted[0][0] < today - _ONE:
        return None
    first, quota, changes = today, cap, list(quotas)
    for day, octets in noted:
        while changes and changes[0][0] > day:
            quota = changes.pop(0)[1] or 0
        if not quota or octets * FULL_PERCENT < quota * percent:
            return first
        first = day
    return None


def _noted(domains: Collection[int]) -> dict[int, list[tuple[date, int]]]:
    rows = Tally.objects.filter(domain__in=domains, stored_octets__isnull=False).order_by("-day")
    found: dict[int, list[tuple[date, int]]] = defaultdict(list)
    for domain, day, octets in rows.values_list("domain", "day", "stored_octets"):
        found[domain].append((day, octets or 0))
    return found


def _quotas(domains: Collection[int]) -> dict[int, list[tuple[date, int | None]]]:
    rows = AuditEntry.objects.filter(
        verb="domain.change", domain__in=domains, details__changes__has_key="quota_octets"
    ).order_by("-at")
    found: dict[int, list[tuple[date, int | None]]] = defaultdict(list)
    for domain, at, details in rows.values_list("domain", "at", "details"):
        found[domain or 0].append((at.astimezone(UTC).date(), details["changes"]["quota_octets"][0]))
    return found
