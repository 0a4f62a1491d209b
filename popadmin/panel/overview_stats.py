"""What domains and mailboxes contain, for the overview, and what left one mailbox. None reads messages one by one."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, fields
from operator import attrgetter
from typing import Any

from django.db.models import BigIntegerField, Case, Count, Exists, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, TruncDate
from django.utils import timezone

from mailstore.directory.domain_usage import CHART_DAYS
from mailstore.directory.site_figures import UNDER_WAY
from mailstore.models import AuditEntry, HoldingsCache, Mailbox, Message, Tally, TallyMark, User
from popadmin.panel import access, domain_rooms
from popadmin.panel.domain_rooms import CapUse
from popadmin.panel.usage_filters import NO_QUOTA, used
from popadmin.web import people
from popadmin.web.usage_share import NEAR_PERCENT

GROWN = 6  # rows of a short table
FULL_NAMED = 5  # mailboxes, those that have been full for longest
CACHE_ROW = 1
KEPT_FROM = 20_000  # mailboxes; fewer are counted in ten milliseconds, each time
KEPT = datetime.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one domain contains, or all of them. `unlimited` mailboxes have no quota, neither octets nor messages.

    `shut` mailboxes take no mail: they are full, or `closed`, as receiving is switched off.
    """

    domain: int  # its key; 0 for all
    mailboxes: int
    octets: int
    allotted_octets: int
    unlimited: int
    near: int
    full: int
    messages: int
    never: int
    shut: int
    closed: int


@dataclass(frozen=True, slots=True)
class _DomainFacts:
    """A domain by its key. `before_octets` is what it stored CHART_DAYS ago, or when that was counted first."""

    domain: int
    name: str
    quota_octets: int | None
    active: bool
    before_octets: int | None


@dataclass(frozen=True, slots=True)
class Growth:
    """What a domain contains, and by how many octets more that is than CHART_DAYS ago, or since it is counted."""

    holdings: Holdings
    name: str
    quota_octets: int | None
    octets: int

    @property
    def gained_octets(self) -> int:
        return max(self.octets, 0)

    @property
    def lost_octets(self) -> int:
        return max(-self.octets, 0)


@dataclass(frozen=True, slots=True)
class Totals:
    """What all mailboxes that a user sees contain, counted `at`; `grown` are the domains that grew most.

    `receiving` is how many take mail, `fullest` the keys of some full mailboxes, and `caps` which caps are near.
    """

    at: datetime.datetime
    total: Holdings
    suspended: int
    receiving: int
    grown: list[Growth]
    fullest: list[int]
    caps: list[CapUse]


def totals(user: User, *, kept_from: int = KEPT_FROM, mailboxes: int | None = None) -> Totals:
    """Return the totals, counted now. On a large site they are reused for a minute, unless somebody changed a mailbox.

    Only changes by mail can then differ from the lists, by what arrived in that minute. `mailboxes` is how many there
    are, if that is known: a small site keeps nothing.
    """
    if not people.is_host(user):
        return _count(user)
    kept = _kept() if mailboxes is None or mailboxes >= kept_from else None
    if kept is not None:
        return kept
    counted = _count(user)
    if counted.total.mailboxes >= kept_from:
        _keep(counted)
    return counted


def tally_mark() -> TallyMark:
    """Return how far the sweep has counted: deliveries up to its last pass, sign-ins up to a whole hour."""
    return TallyMark.objects.first() or TallyMark()


def removed_by_day(mailbox: Mailbox, most: int) -> list[dict[str, Any]]:
    """Return what is in recovery by the reader's day and by reason, latest first, at most `most` rows."""
    rows = access.messages_in_recovery(mailbox).annotate(day=TruncDate("removed_at")).values("day", "removed_why")
    sums = rows.annotate(messages=Count("pk"), octets=Sum("octets")).order_by("-day", "removed_why")
    return [{**row, "why": Message.Why(row["removed_why"]).label} for row in sums[:most]]


def _kept() -> Totals | None:
    """Return the last count of the site, if it is fresh enough and was made by a version that counted the same way."""
    changed = AuditEntry.objects.filter(at__gt=OuterRef("counted_at") - UNDER_WAY)
    fresh = HoldingsCache.objects.filter(pk=CACHE_ROW, counted_at__gt=timezone.now() - KEPT)
    row = fresh.exclude(Exists(changed)).first()
    if row is None or row.figures.get("columns") != _columns():
        return None
    figures = row.figures
    return Totals(
        at=row.counted_at,
        total=Holdings(*figures["total"]),
        suspended=figures["suspended"],
        receiving=figures["receiving"],
        grown=[Growth(Holdings(*holdings), *others) for holdings, *others in figures["grown"]],
        fullest=figures["fullest"],
        caps=[CapUse(*each) for each in figures["caps"]],
    )


def _keep(counted: Totals) -> None:
    counts = {
        "columns": _columns(),
        "total": astuple(counted.total),
        "suspended": counted.suspended,
        "receiving": counted.receiving,
        "grown": [astuple(each) for each in counted.grown],
        "fullest": counted.fullest,
        "caps": [astuple(each) for each in counted.caps],
    }
    values = {"counted_at": counted.at, "figures": counts}
    if not HoldingsCache.objects.filter(pk=CACHE_ROW).update(**values):
        HoldingsCache.objects.get_or_create(pk=CACHE_ROW, defaults=values)


def _columns() -> list[str]:
    """Return what names the form of a kept count."""
    return [field.name for kind in (Totals, Growth, Holdings, CapUse) for field in fields(kind)]


def _count(user: User) -> Totals:
    at, by_domain, domains = timezone.now(), _holdings(user), _domains(user)
    suspended_domains = [each.domain for each in domains if not each.active]
    total, caps = _total(by_domain), _caps(user, by_domain)
    return Totals(
        at=at,
        total=total,
        suspended=_suspended(user, by_domain, suspended_domains),
        receiving=_receiving(by_domain, suspended_domains, caps),
        grown=_grown(by_domain, domains),
        fullest=_fullest(user) if total.full else [],
        caps=caps,
    )


def _domains(user: User) -> list[_DomainFacts]:
    since = timezone.now().astimezone(datetime.UTC) - datetime.timedelta(days=CHART_DAYS - 1)
    stored = Tally.objects.filter(domain=OuterRef("pk"), day__gte=since.date(), stored_octets__isnull=False)
    first = Subquery(stored.order_by("day").values("stored_octets")[:1])
    new = Q(created_at__gte=since)  # it began with nothing
    before = Case(When(new, then=Value(0)), default=first, output_field=BigIntegerField())
    rows = access.domains(user).order_by().annotate(before=before)
    return [_DomainFacts(*row) for row in rows.values_list("pk", "name", "quota_octets", "active", "before")]


def _grown(holdings: Sequence[Holdings], domains: Sequence[_DomainFacts]) -> list[Growth]:
    """Return the domains that grew most; where none did, those that store most."""
    facts = {each.domain: each for each in domains}
    grown = [_growth(each, facts[each.domain]) for each in holdings if each.domain in facts]
    return sorted(grown, key=lambda each: (-each.octets, -each.holdings.octets, each.holdings.domain))[:GROWN]


def _growth(holdings: Holdings, domain: _DomainFacts) -> Growth:
    grown = 0 if domain.before_octets is None else holdings.octets - domain.before_octets
    return Growth(holdings, domain.name, domain.quota_octets, grown)


def _receiving(holdings: Sequence[Holdings], suspended_domains: Collection[int], caps: Sequence[CapUse]) -> int:
    """Count the mailboxes that take mail. A suspended user still gets mail, a suspended or full domain gets none."""
    closed = {*suspended_domains, *(use.domain for use in caps if use.kind == domain_rooms.STORED and use.is_reached)}
    return sum(each.mailboxes - each.shut for each in holdings if each.domain not in closed)


def _fullest(user: User) -> list[int]:
    """Return full mailboxes, first those whose owners were told so first."""
    rows = access.mailboxes(user).select_related(None).filter(used(100))
    return list(rows.order_by(F("warned_at").asc(nulls_last=True), "pk").values_list("pk", flat=True)[:FULL_NAMED])


def _caps(user: User, holdings: Sequence[Holdings]) -> list[CapUse]:
    kinds = (domain_rooms.STORED, domain_rooms.MAILBOXES, domain_rooms.ALLOTTED)
    uses = {
        each.domain: dict(zip(kinds, (each.octets, each.mailboxes, each.allotted_octets), strict=True))
        for each in holdings
    }
    return domain_rooms.near_caps(user, uses)


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
        shut=Count("pk", filter=Q(receives=False) | used(100)),
        closed=Count("pk", filter=Q(receives=False)),
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
