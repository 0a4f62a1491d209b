"""Count what each domain holds: mailboxes, aliases, mail and quotas. For querysets of domains."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, timedelta
from typing import Any

from django.db import connection
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Count,
    DateTimeField,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.expressions import Combinable, RawSQL
from django.db.models.functions import Coalesce, Concat, Now, TruncDate

from mailstore.models import Alias, Domain, Mailbox, Tally
from mailstore.sql.statements.delivery import room

CHART_DAYS = 30  # the charts show deliveries and sign-ins of so many days

# Of a removed domain, what was removed with it.
_THERE = Q(removed_at=None) | Q(removed_with_domain=True)
_BOXES = Mailbox.objects.filter(_THERE, domain=OuterRef("pk")).order_by().values("domain")
_ALIASES = Alias.objects.filter(domain=OuterRef("pk"), mailbox=None).order_by().values("domain")

_FULL = f"""
SELECT dom.id FROM mailstore_domain dom
 WHERE dom.quota_octets IS NOT NULL AND NOT ({room("1", domain="dom")}) AND dom.id"""


def full(domains: Collection[int]) -> set[int]:
    """Return those of the domains, by key, whose own quota leaves no room for one octet more. One statement at most."""
    if not domains:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(f"{_FULL} = ANY(%s)", [list(domains)])
        return {key for (key,) in cursor.fetchall()}


def is_full() -> Combinable:
    """Return the same for the domain of each mailbox of a queryset: for a few mailboxes, as it counts for each."""
    return RawSQL(f"EXISTS ({_FULL} = mailstore_mailbox.domain_id)", [], output_field=BooleanField())  # noqa: S611 - no value


def mailboxes() -> Combinable:
    return _number(_BOXES.values(n=Count("pk")))


def aliases() -> Combinable:
    """Count the aliases; forwards of mailboxes are not among them."""
    return _number(_ALIASES.values(n=Count("pk")))


def messages() -> Combinable:
    return _number(_BOXES.values(n=Sum("messages")))


def octets() -> Combinable:
    return _number(_BOXES.values(n=Sum("octets")))


def allotted_octets() -> Combinable:
    """Sum the quotas of the mailboxes, in octets. Mailboxes without a quota are left out."""
    return _number(_BOXES.values(n=Sum("quota_octets")))


def delivered() -> Combinable:
    """Count the deliveries of the last CHART_DAYS days (UTC) with today, as far as the sweep has counted them."""
    today = TruncDate(Now(), tzinfo=UTC)
    first = ExpressionWrapper(today - Value(timedelta(days=CHART_DAYS - 1)), output_field=DateTimeField())
    rows = Tally.objects.filter(domain=OuterRef("pk"), day__gte=first).order_by().values("domain")
    return _number(rows.values(n=Sum("deliveries")))


def catch_all() -> Combinable:
    """Return the targets of the catch-all, or NULL."""
    return Subquery(Alias.objects.filter(address=Concat(Value("@"), OuterRef("name"))).values("targets"))


def counted(rows: QuerySet[Domain]) -> QuerySet[Domain]:
    """Annotate `mailboxes`, `aliases`, `messages`, `octets` and `allotted_octets`."""
    return rows.annotate(
        mailboxes=mailboxes(),
        aliases=aliases(),
        messages=messages(),
        octets=octets(),
        allotted_octets=allotted_octets(),
    )


def _number(rows: QuerySet[Any, Any]) -> Combinable:
    return Coalesce(Subquery(rows), 0, output_field=BigIntegerField())
