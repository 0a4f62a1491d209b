"""The addresses that were probably meant by one that nobody has: mailboxes and aliases a few edits away.

What is one edit away is asked for by name, and what is two away by the beginning it shares. Both are by an index,
however many addresses the domain has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from mailstore.models import Alias, Mailbox
from mailstore.policy.addresses import DELIMITER
from mailstore.policy.likeness import edits, one_edit_away

NEAREST_MOST = 3  # for each name
SPELLINGS_MOST = 10_000  # of one call, as 12 names of 10 characters have; a list waits 20 ms for their look-up
CANDIDATES = 200  # of one call, among those that share a beginning
BEGINNING = 3  # characters that two names share at least where two edits lie between them
DOMAIN_EDITS = 2  # within which the domain may be mistyped, where the local part is right


@dataclass(frozen=True, slots=True)
class Near:
    """A mailbox or an alias, by its key; the other is None."""

    address: str
    mailbox: int | None
    alias: int | None


def of(names: Iterable[str], mailboxes: QuerySet[Mailbox], aliases: QuerySet[Alias]) -> dict[str, Sequence[Near]]:
    """Return what was probably meant by each name in normal form, the nearest first. One statement.

    Only these mailboxes and aliases are looked at. A name by which nothing was meant is left out, as are the last
    names of a great many.
    """
    spellings = dict(_within(names))
    if not spellings:
        return {}
    candidates = _candidates(spellings, mailboxes, aliases)
    nearest = {name: _nearest(name, candidates, spelled) for name, spelled in spellings.items()}
    return {name: found for name, found in nearest.items() if found}


def _within(names: Iterable[str]) -> Iterator[tuple[str, set[str]]]:
    """Yield each name with the addresses that are one edit away, until there are SPELLINGS_MOST of these."""
    left = SPELLINGS_MOST
    for name in names:
        local_part, domain = _parts(name)
        if not (local_part and domain):
            continue
        found = {f"{spelling}@{domain}" for spelling in one_edit_away(local_part) if spelling}
        left -= len(found)
        if left < 0:
            return
        yield name, found


def _candidates(
    spellings: dict[str, set[str]], mailboxes: QuerySet[Mailbox], aliases: QuerySet[Alias]
) -> dict[str, Near]:
    """Return the addresses that may have been meant. The forward of a mailbox is that mailbox."""
    # One parameter: thousands of them would take longer to write down than to look up.
    spelled = sorted(set().union(*spellings.values()))
    one_away = RawSQL("SELECT unnest(%s::text[])", [spelled])
    in_effect = Q(expires_at=None) | Q(expires_at__gt=Now())
    found = []
    for rows, field in (
        (mailboxes, "user__address"),
        (aliases.filter(in_effect, active=True, mailbox=None), "address"),
    ):
        kind = rows.order_by().annotate(kind=Value(rows.model._meta.model_name, output_field=CharField()))
        chosen: QuerySet[Any, Any] = kind.values_list(field, "pk", "kind")
        beginning = _sharing_a_beginning(spellings, field)
        found += [chosen.filter(**{f"{field}__in": one_away}), chosen.filter(beginning).order_by(field)[:CANDIDATES]]
    first, *others = found
    addresses: dict[str, Near] = {}
    for address, key, kind in first.union(*others):
        is_alias = kind == Alias._meta.model_name
        near = Near(address, None if is_alias else key, key if is_alias else None)
        addresses.setdefault(address, near)
    return addresses


def _sharing_a_beginning(names: Iterable[str], field: str) -> Q:
    """Match the same half of the local part in the domain of a name, and the same local part in any domain."""
    near = Q()
    for local_part, domain in map(_parts, names):
        half = _half(local_part)
        near |= Q(**{f"{field}__startswith": half, f"{field}__endswith": f"@{domain}"})
        near |= Q(**{f"{field}__startswith": f"{local_part}@"})
    return near


def _half(local_part: str) -> str:
    """Return the beginning that a name two edits away has too."""
    return local_part[: max(BEGINNING, len(local_part) // 2)]


def _nearest(name: str, candidates: dict[str, Near], spelled: Collection[str]) -> Sequence[Near]:
    """Rank the candidates of a name: those that it may be `spelled` as, and those that share its beginning."""
    beginning = _half(_parts(name)[0])
    own = (address for address in candidates if address in spelled or address.startswith(beginning))
    ranked = sorted((count, address) for address in own if (count := _distance(name, address)) is not None)
    return [candidates[address] for _count, address in ranked[:NEAREST_MOST]]


def _distance(name: str, address: str) -> int | None:
    """Return how many edits lie between two addresses; None if they are too many for the one to be the other."""
    (local_part, domain), (other_part, other_domain) = _parts(name), _parts(address)
    if domain == other_domain:
        most = _edits_most(local_part)
        count = edits(local_part, other_part, most)
        return count if count <= most else None
    count = edits(domain, other_domain, DOMAIN_EDITS)
    return count if local_part == other_part and count <= DOMAIN_EDITS else None


def _edits_most(local_part: str) -> int:
    """Return how many edits a name of this length may have: short names are all alike."""
    if len(local_part) < BEGINNING:
        return 0
    return 1 if len(local_part) < 2 * BEGINNING else 2


def _parts(name: str) -> tuple[str, str]:
    """Return the local part without its detail, and the domain."""
    local_part, _at, domain = name.rpartition("@")
    return local_part.partition(DELIMITER)[0], domain
