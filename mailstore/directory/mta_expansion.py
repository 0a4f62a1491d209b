"""Say where the mail of aliases goes, and which of them an MTA must expand itself: from the rows of mta_expansions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db import connection
from django.utils import timezone

from mailstore.models import Alias, Domain

# An MTA that does not expand an address tries its mail again within this time (Postfix: within 67 minutes).
UNEXPANDED_HOURS = 24
BATCH_ROWS = 500  # so that a list of any length needs little memory

_ENDS = """
    SELECT way.alias_id, way.leads_outside, way.ends FROM mta_expansions way
     WHERE way.alias_id = ANY(%s) AND NOT way.standing
"""


@dataclass(frozen=True, slots=True)
class Expansion:
    """What the MTA needs to know of one alias.

    `expand_to` are the mailboxes here and the addresses elsewhere that its mail goes to, in the order of their names.
    It is None where LMTP follows the alias by itself, and where the alias leads nowhere now. `also_at` is the same
    address in each domain that stands for its own.
    """

    expand_to: list[str] | None
    also_at: list[str]


@dataclass(frozen=True, slots=True)
class MtaDuty:
    """That an alias has an end outside, so the MTA must expand it. `unexpanded_at`: when it last did not, if lately."""

    unexpanded_at: datetime | None


def expansions(rows: Iterable[Alias]) -> Iterator[tuple[Alias, Expansion]]:
    """Yield each alias with its expansion."""
    rows = iter(rows)
    while batch := list(islice(rows, BATCH_ROWS)):
        ends = {alias: ends for alias, outside, ends in _ways([row.pk for row in batch]) if outside}
        others = _standing({row.domain_id for row in batch})
        for row in batch:
            local_part = row.address.rpartition("@")[0]
            names = [f"{local_part}@{name}" for name in others.get(row.domain_id, ())]
            yield row, Expansion(ends.get(row.pk), names)


def ends(alias: Alias) -> list[str]:
    """Return the mailboxes here and the addresses elsewhere that its mail goes to; none if it is not in effect."""
    return [end for _alias, _outside, ends in _ways([alias.pk]) for end in ends]


def mta_duty(alias: Alias) -> MtaDuty | None:
    """Return what the MTA has to do for an alias; None where LMTP follows it, or it leads nowhere now."""
    ((_alias, expansion),) = expansions([alias])
    if expansion.expand_to is None:
        return None
    late = timezone.now() - timedelta(hours=UNEXPANDED_HOURS)
    return MtaDuty(alias.unexpanded_at if alias.unexpanded_at and alias.unexpanded_at > late else None)


def _ways(aliases: list[int]) -> list[tuple[int, bool, list[str]]]:
    """Return of each alias in effect its key, whether an end is elsewhere, and the ends."""
    with connection.cursor() as cursor:
        cursor.execute(_ENDS, [aliases])
        rows: list[tuple[int, bool, list[str]]] = cursor.fetchall()
        return rows


def _standing(domains: set[int]) -> dict[int | None, list[str]]:
    """Return the names of the active domains that stand for these."""
    others: dict[int | None, list[str]] = {}
    rows = Domain.objects.filter(stands_for__in=domains, active=True, removed_at=None).order_by("name")
    for name, domain in rows.values_list("name", "stands_for"):
        others.setdefault(domain, []).append(name)
    return others
