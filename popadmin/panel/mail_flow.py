"""Deliveries and sign-ins by day, as the sweep has counted them, and how they compare with the days before."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.directory.domain_usage import CHART_DAYS
from mailstore.models import User
from popadmin.panel import access
from popadmin.web.formats import percent

FIRST_DAYS = 7  # of the earlier time: with a count in them, the sweep was counting then
WORSE_PERCENT = 20  # more refused sign-ins than before


@dataclass(frozen=True, slots=True)
class Day:
    """The counts of one day, for the charts."""

    date: datetime.date
    deliveries: int
    sign_ins: int
    refused: int


@dataclass(frozen=True, slots=True)
class Flow:
    """One chart: its days, their sum in words, and the change against as many days before; empty where unknown."""

    name: str
    total: int
    noun: str
    change: str
    is_worse: bool
    url: str
    days: Sequence[Day]

    @property
    def css(self) -> str:
        return "is-bad" if self.name == "refused" else ""


def days(user: User) -> list[Day]:
    """Return the last days (UTC) and as many before them, oldest first; a day without mail is there with zeros."""
    today = timezone.now().astimezone(datetime.UTC).date()
    dates = [today - datetime.timedelta(days=ago) for ago in reversed(range(2 * CHART_DAYS))]
    rows = access.tallies(user).filter(day__gte=dates[0]).order_by().values("day")
    sums = rows.annotate(mail=Sum("deliveries"), ins=Sum("sign_ins"), no=Sum("refused"))
    counted = {row["day"]: (int(row["mail"]), int(row["ins"]), int(row["no"])) for row in sums}
    return [Day(day, *counted.get(day, (0, 0, 0))) for day in dates]


def flows(counted: Sequence[Day]) -> list[Flow]:
    """Return the three charts of the days that `days` returned; none if nothing was counted in the last days."""
    earlier, late = counted[:-CHART_DAYS], counted[-CHART_DAYS:]
    if not any(day.deliveries or day.sign_ins or day.refused for day in late):
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
        is_worse=name == "refused" and (change or 0) >= WORSE_PERCENT,
        url=_urls()[name],
        days=late,
    )


def _change(change: int) -> str:
    if not change:
        return _("as many as before")
    text = _("%(percent)s more") if change > 0 else _("%(percent)s fewer")
    return text % {"percent": percent(abs(change))}


def _urls() -> dict[str, str]:
    sign_ins = reverse("visits")
    return {
        "deliveries": f"{reverse('domains')}?sort=-delivered",
        "refused": f"{sign_ins}?ended=refused&days=30",
        "sign_ins": f"{sign_ins}?ended=let-in&days=30",
    }


_NOUNS: dict[str, Callable[[int], str]] = {
    "deliveries": lambda number: ngettext("delivery", "deliveries", number),
    "refused": lambda number: ngettext("refused sign-in", "refused sign-ins", number),
    "sign_ins": lambda number: ngettext("sign-in to POP", "sign-ins to POP", number),
}
