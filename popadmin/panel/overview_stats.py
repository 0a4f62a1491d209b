"""The numbers of the overview and of one mailbox, each group in one statement. None reads messages one by one."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from operator import attrgetter
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import BigIntegerField, Count, Exists, OuterRef, Q, Subquery, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, TruncDate
from django.utils import timezone

from mailstore.directory.domain_usage import CHART_DAYS
from mailstore.models import AuditEntry, Domain, Finding, HoldingsCache, Mailbox, Message, TallyMark, User
from popadmin.panel import access
from popadmin.panel.usage_filters import NEAR_PERCENT, NO_QUOTA, used
from popadmin.web import people

LARGEST = 10  # rows of a short table
KEPT_FROM = 20_000  # mailboxes; fewer are counted in ten milliseconds, each time
KEPT = datetime.timedelta(minutes=1)
UNDER_WAY = datetime.timedelta(seconds=3)  # from an entry of the audit to its commit: no step is longer


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one domain contains, or all of them. `unlimited` mailboxes have no quota, neither octets nor messages."""

    domain: int  # its key; 0 for all
    mailboxes: int
    octets: int
    allotted_octets: int
    unlimited: int
    near: int
    full: int
    messages: int
    never: int


@dataclass(frozen=True, slots=True)
class Day:
    """The counts of one day, for the charts."""

    date: datetime.date
    deliveries: int
    sign_ins: int
    refused: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What all mailboxes that a user sees contain, counted `at`; `largest` are the domains that store most."""

    at: datetime.datetime
    total: Holdings
    suspended: int
    largest: list[Holdings]


def domains(user: User) -> tuple[int, list[int]]:
    """Return the number of domains, and the keys of the suspended ones."""
    suspended = ArrayAgg("pk", filter=Q(active=False), default=Value([]))
    totals = access.domains(user).aggregate(number=Count("pk"), suspended=suspended)
    return totals["number"], totals["suspended"]


def totals(user: User, suspended_domains: Collection[int], *, kept_from: int = KEPT_FROM) -> Totals:
    """Return the totals, counted now. On a large site they are reused for a minute, unless somebody changed a mailbox.

    Only changes by mail can then differ from the lists, by what arrived in that minute.
    """
    if not people.is_host(user):
        return _count(user, suspended_domains)
    kept = _kept()
    if kept is not None:
        return kept
    counted = _count(user, suspended_domains)
    if counted.total.mailboxes >= kept_from:
        _keep(counted)
    return counted


def largest(user: User, holdings: Sequence[Holdings]) -> list[tuple[Domain, Holdings]]:
    """Return the largest domains that still exist, with their totals."""
    domains = access.domains(user).in_bulk([each.domain for each in holdings])
    return [(domains[each.domain], each) for each in holdings if each.domain in domains]


def with_findings(user: User) -> int:
    """Count the mailboxes with findings. It starts at the findings, because they are few."""
    rows = Finding.objects.filter(mailbox__removed_at=None)
    if not people.is_host(user):
        rows = rows.filter(mailbox__domain__in=access.domains(user))
    return rows.aggregate(mailboxes=Count("mailbox", distinct=True))["mailboxes"] or 0


def days(user: User) -> list[Day]:
    """Return the last days (UTC), oldest first, today last; a day without mail is there with zeros."""
    today = timezone.now().astimezone(datetime.UTC).date()
    dates = [today - datetime.timedelta(days=ago) for ago in reversed(range(CHART_DAYS))]
    rows = access.tallies(user).filter(day__gte=dates[0]).order_by().values("day")
    sums = rows.annotate(mail=Sum("deliveries"), ins=Sum("sign_ins"), no=Sum("refused"))
    counted = {row["day"]: (int(row["mail"]), int(row["ins"]), int(row["no"])) for row in sums}
    return [Day(day, *counted.get(day, (0, 0, 0))) for day in dates]


def counted_at() -> datetime.datetime | None:
    """Return when the days were last counted."""
    mark = TallyMark.objects.first()
    return None if mark is None else mark.counted_at


def removed_by_day(mailbox: Mailbox, most: int) -> list[dict[str, Any]]:
    """Return what is in recovery by the reader's day and by reason, latest first, at most `most` rows."""
    rows = access.messages_in_recovery(mailbox).annotate(day=TruncDate("removed_at")).values("day", "removed_why")
    sums = rows.annotate(messages=Count("pk"), octets=Sum("octets")).order_by("-day", "removed_why")
    return [{**row, "why": Message.Why(row["removed_why"]).label} for row in sums[:most]]


def _kept() -> Totals | None:
    """Return the last count of the site, if it is fresh enough and was made by a version that counted the same way."""
    changed = AuditEntry.objects.filter(at__gt=OuterRef("counted_at") - UNDER_WAY)
    fresh = HoldingsCache.objects.filter(counted_at__gt=timezone.now() - KEPT)
    row = fresh.exclude(Exists(changed)).first()
    if row is None or row.figures.get("columns") != list(Holdings.__slots__):
        return None
    total, suspended, most = (row.figures[name] for name in ("total", "suspended", "largest"))
    return Totals(row.counted_at, Holdings(*total), suspended, [Holdings(*each) for each in most])


def _keep(counted: Totals) -> None:
    counts = {
        "columns": list(Holdings.__slots__),
        "total": astuple(counted.total),
        "suspended": counted.suspended,
        "largest": [astuple(each) for each in counted.largest],
    }
    if not HoldingsCache.objects.filter(pk=1).update(counted_at=counted.at, figures=counts):
        HoldingsCache.objects.get_or_create(pk=1, defaults={"counted_at": counted.at, "figures": counts})


def _count(user: User, suspended_domains: Collection[int]) -> Totals:
    at, by_domain = timezone.now(), _holdings(user)
    most = sorted(by_domain, key=lambda each: (-each.octets, each.domain))[:LARGEST]
    return Totals(at, _total(by_domain), _suspended(user, by_domain, suspended_domains), most)


def _holdings(user: User) -> list[Holdings]:
    """Count per domain; the totals are sums of these rows, so that one pass over the mailboxes is enough."""
    rows = access.mailboxes(user).select_related(None).order_by().values_list("domain")
    sums = rows.annotate(
        boxes=Count("pk"),
        size=_sum("octets"),
        allotted=_sum("quota_octets"),
        unlimited=Count("pk", filter=NO_QUOTA),
        near=Count("pk", filter=used(NEAR_PERCENT)),
        full=Count("pk", filter=used(100)),
        waiting=_sum("messages"),
        never=Count("pk", filter=Q(last_sign_in_at=None)),
    )
    return [Holdings(*row) for row in sums]


def _total(holdings: Sequence[Holdings]) -> Holdings:
    columns = [name for name in Holdings.__slots__ if name != "domain"]
    return Holdings(0, *(sum(map(attrgetter(name), holdings)) for name in columns))


def _suspended(user: User, holdings: Sequence[Holdings], suspended_domains: Collection[int]) -> int:
    """Count the suspended mailboxes, by user or by domain. It starts with the users, few of whom are suspended."""
    rows = access.mailboxes(user).select_related(None).filter(user=OuterRef("pk"))
    rows = rows.exclude(domain__in=suspended_domains) if suspended_domains else rows
    found = User.objects.filter(is_active=False).aggregate(mailboxes=Count(Subquery(rows.values("pk"))))
    return int(found["mailboxes"]) + sum(each.mailboxes for each in holdings if each.domain in suspended_domains)


def _sum(column: str) -> Combinable:
    """Sum as an integer: Postgres would return a numeric, which takes longer to send and to read."""
    return Cast(Coalesce(Sum(column), 0), BigIntegerField())
