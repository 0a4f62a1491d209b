"""Deliveries, what was refused or deferred, and sign-ins by day, as the sweep has counted them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter

from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.directory.domain_usage import CHART_DAYS
from mailstore.models import User
from popadmin.lists.trace_list import NOT_DELIVERED
from popadmin.panel import access
from popadmin.web.formats import count, percent

UNDELIVERED = "undelivered"
FIRST_DAYS = 7  # of the earlier time: with a count in them, the sweep was counting then
WORSE_PERCENT = 20  # more was refused or deferred than before


@dataclass(frozen=True, slots=True)
class Day:
    """The counts of one day, for the charts."""

    date: datetime.date
    deliveries: int = 0
    undelivered: int = 0
    undelivered_full: int = 0  # of them because a mailbox or a domain was full
    sign_ins: int = 0
    refused: int = 0  # sign-ins


@dataclass(frozen=True, slots=True)
class Flow:
    """One chart: its days, their sum in words, and the change against as many days before; empty where unknown.

    `peak_note` says more of the highest day. `refused` is how many sign-ins were refused, 0 for other charts.
    """

    name: str
    total: int
    noun: str
    change: str
    is_worse: bool
    url: str
    days: Sequence[Day]
    peak_note: str
    refused: int
    refused_url: str

    @property
    def css(self) -> str:
        return "is-bad" if self.name == UNDELIVERED else ""


def days(user: User) -> list[Day]:
    """Return the last days (UTC) and as many before them, oldest first; a day without mail is there with zeros."""
    today = timezone.now().astimezone(datetime.UTC).date()
    dates = [today - datetime.timedelta(days=ago) for ago in reversed(range(2 * CHART_DAYS))]
    rows = access.tallies(user).filter(day__gte=dates[0]).order_by().values_list("day")
    sums = rows.annotate(**{f"sum_{name}": Sum(name) for name in _COUNTS})
    counted = {day: [int(number) for number in counts] for day, *counts in sums}
    return [Day(day, *counted.get(day, ())) for day in dates]


def flows(counted: Sequence[Day]) -> list[Flow]:
    """Return the three charts of the days that `days` returned; none if nothing was counted in the last days."""
    earlier, late = counted[:-CHART_DAYS], counted[-CHART_DAYS:]
    if not any(getattr(day, name) for day in late for name in _COUNTS):
        return []
    known = any(day.deliveries or day.sign_ins for day in earlier[:FIRST_DAYS])
    return [_flow(name, earlier if known else [], late) for name in _NOUNS]


def _flow(name: str, earlier: Sequence[Day], late: Sequence[Day]) -> Flow:
    total, before = (sum(map(attrgetter(name), days)) for days in (late, earlier))
    change = round((total - before) * 100 / before) if before else None
    return Flow(
        name=name,
        total=total,
        noun=_NOUNS[name](total),
        change="" if change is None else _change(change),
        is_worse=name == UNDELIVERED and (change or 0) >= WORSE_PERCENT,
        url=_urls()[name],
        days=late,
        peak_note=_full_on_peak(late) if name == UNDELIVERED else "",
        refused=sum(day.refused for day in late) if name == "sign_ins" else 0,
        refused_url=f"{reverse('visits')}?ended=refused&days={CHART_DAYS}",
    )


def _full_on_peak(days: Sequence[Day]) -> str:
    full = max(days, key=attrgetter(UNDELIVERED)).undelivered_full
    return _("%(count)s of them full") % {"count": count(full)} if full else ""


def _change(change: int) -> str:
    if not change:
        return _("as many as before")
    text = _("%(percent)s more") if change > 0 else _("%(percent)s fewer")
    return text % {"percent": percent(abs(change))}


def _urls() -> dict[str, str]:
    return {
        "deliveries": f"{reverse('domains')}?sort=-delivered",
        UNDELIVERED: f"{reverse('trace')}?answer={NOT_DELIVERED}",
        "sign_ins": f"{reverse('visits')}?ended=let-in&days={CHART_DAYS}",
    }


_COUNTS = [field.name for field in fields(Day) if field.name != "date"]
_NOUNS: dict[str, Callable[[int], str]] = {
    "deliveries": lambda number: ngettext("delivery", "deliveries", number),
    UNDELIVERED: lambda number: ngettext("refused or deferred", "refused or deferred", number),
    "sign_ins": lambda number: ngettext("sign-in to POP", "sign-ins to POP", number),
}
