"""The figures of the overview, each group by one statement, whatever the number of mailboxes."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db.models import Count, F, FloatField, Q, QuerySet, Sum
from django.db.models.functions import Cast, Coalesce, NullIf, TruncDate
from django.utils import timezone

from mailstore.models import Domain, Mailbox, Message, User
from popadmin.panel import access

NEAR_PERCENT = 90
CHART_DAYS = 30
FULLEST = 10  # rows of a table that is read at a glance
LARGEST = 10
ZERO = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Of all mailboxes. `allotted_octets` leaves out those without a quota, which `unlimited` counts."""

    domains: int
    mailboxes: int
    used_octets: int
    allotted_octets: int
    unlimited: int
    near: int
    suspended: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Day:
    date: datetime.date
    deliveries: int


def totals(user: User) -> Totals:
    near = Q(octets__gte=F("quota_octets") / 100 * NEAR_PERCENT)  # in this order no bigint overflows
    counted = access.mailboxes(user).aggregate(
        mailboxes=Count("pk"),
        used_octets=Coalesce(Sum("octets"), ZERO),
        allotted_octets=Coalesce(Sum("quota_octets"), ZERO),
        unlimited=Count("pk", filter=Q(quota_octets=None)),
        near=Count("pk", filter=near),
        suspended=Count("pk", filter=Q(user__is_active=False) | Q(domain__active=False)),
        waiting=Coalesce(Sum("messages"), ZERO),
    )
    return Totals(domains=access.domains(user).count(), **{name: int(value) for name, value in counted.items()})


def deliveries(user: User) -> list[Day]:
    """The last days, the oldest first, today last; a day without mail is there with 0."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - datetime.timedelta(days=ago) for ago in reversed(range(CHART_DAYS))]
    counted = _per_day(access.arrivals(user).filter(arrived_at__gte=days[0]))
    return [Day(day.date(), counted.get(day.date(), 0)) for day in days]


def fullest(user: User) -> list[Mailbox]:
    """The mailboxes nearest to their quota."""
    share = Cast("octets", FloatField()) / NullIf("quota_octets", ZERO)
    rows = access.mailboxes(user).annotate(share=share).order_by(F("share").desc(nulls_last=True), "pk")
    return list(rows[:FULLEST])


def largest(user: User) -> list[Domain]:
    """The domains that store most, with `mailboxes`, `octets` and `allotted_octets` of each."""
    rows = access.domains(user).annotate(
        mailboxes=Count("mailbox"),
        octets=Coalesce(Sum("mailbox__octets"), ZERO),
        allotted_octets=Coalesce(Sum("mailbox__quota_octets"), ZERO),
    )
    return list(rows.order_by("-octets", "name")[:LARGEST])


def _per_day(arrivals: QuerySet[Message]) -> dict[datetime.date, int]:
    rows = arrivals.annotate(day=TruncDate("arrived_at")).values("day").annotate(deliveries=Count("pk")).order_by()
    return {row["day"]: row["deliveries"] for row in rows}
