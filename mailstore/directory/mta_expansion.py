"""Where the mail of aliases arrives, followed as a delivery does, and which of them an MTA must expand itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db.models import Q, QuerySet
from django.utils import timezone

from mailstore.models import Alias, Domain, Mailbox
from mailstore.policy.addresses import lookup_keys

BATCH_ROWS = 500  # so that a list of any length needs little memory


@dataclass(frozen=True, slots=True)
class Expansion:
    """What the MTA needs to know of one alias.

    `expand_to` are the mailboxes here and the addresses elsewhere that its mail goes to. It is None where LMTP follows
    the alias by itself, and where the alias leads nowhere now. `also_at` is the same address in each domain that stands
    for its own.
    """

    expand_to: list[str] | None
    also_at: list[str]


@dataclass(frozen=True, slots=True)
class _Step:
    """Where a name leads: to a mailbox that receives mail, to more names, elsewhere, to several of these or nowhere."""

    mailbox: str | None = None
    targets: Sequence[str] = ()
    elsewhere: str | None = None


def expansions(rows: Iterable[Alias]) -> Iterator[tuple[Alias, Expansion]]:
    """Yield each alias with its expansion. The rows have their domain loaded."""
    rows = iter(rows)
    while batch := list(islice(rows, BATCH_ROWS)):
        steps = _steps({row.address for row in batch if _in_effect(row)})
        others = _standing({row.domain_id for row in batch})
        for row in batch:
            local_part = row.address.rpartition("@")[0]
            names = [f"{local_part}@{name}" for name in others.get(row.domain_id, ())]
            yield row, Expansion(_targets(row.address, steps) if _in_effect(row) else None, names)


def destinations(alias: Alias, *, within: QuerySet[Domain]) -> list[str]:
    """Return the mailboxes here and the addresses elsewhere at which the mail of an alias arrives; none if it is off.

    A name outside the domains `within` counts as elsewhere: whoever reads the answer may not see where it leads.
    """
    if not _in_effect(alias):
        return []
    steps = _steps({alias.address})
    theirs = within.filter(Q(stands_for=None) | Q(stands_for__in=within), name__in={_domain(name) for name in steps})
    seen = set(theirs.values_list("name", flat=True))
    steps = {name: step if _domain(name) in seen else _Step(elsewhere=name) for name, step in steps.items()}
    ends = (steps[name].elsewhere or steps[name].mailbox for name in _reach(alias.address, steps))
    return list(dict.fromkeys(end for end in ends if end))


def _in_effect(row: Alias) -> bool:
    return row.active and row.domain.active and (row.expires_at is None or row.expires_at > timezone.now())


def _standing(domains: set[int]) -> dict[int | None, list[str]]:
    """Return the names of the active domains that stand for these."""
    others: dict[int | None, list[str]] = {}
    rows = Domain.objects.filter(stands_for__in=domains, active=True, removed_at=None).order_by("name")
    for name, domain in rows.values_list("name", "stands_for"):
        others.setdefault(domain, []).append(name)
    return others


def _steps(names: set[str]) -> dict[str, _Step]:
    """Return where these names lead, and all names on the way. Each level takes the same few queries."""
    steps: dict[str, _Step] = {}
    while names:
        found = _level(names)
        steps |= found
        names = {target for step in found.values() for target in step.targets} - steps.keys()
    return steps


def _level(names: set[str]) -> dict[str, _Step]:
    """Return where each of these names leads in one step."""
    ours = _places(names)
    keys = {name: _keys(name, ours) for name in names}
    addresses = {key for choice in keys.values() for key in choice}
    boxes, aliases = _mailboxes(addresses), _aliases(addresses)
    steps = {}
    for name, choice in keys.items():
        key = next((key for key in choice if key in boxes or key in aliases), "")
        steps[name] = _step(key, boxes, aliases) if _domain(name) in ours else _Step(elsewhere=name)
    return steps


def _domain(name: str) -> str:
    return name.rpartition("@")[2]


def _places(names: set[str]) -> dict[str, str | None]:
    """Return those of the names' domains that are ours, each with the domain that holds its addresses.

    None stands for an inactive domain, which takes no mail.
    """
    rows = Domain.objects.filter(name__in={_domain(name) for name in names}, removed_at=None)
    found = rows.values_list("name", "active", "stands_for__name")
    return {name: (other or name) if active else None for name, active, other in found}


def _keys(name: str, ours: dict[str, str | None]) -> list[str]:
    """Return the names that may answer for this one, the most exact first."""
    local_part = name.rpartition("@")[0]
    home = ours.get(_domain(name))
    if home is None:
        return []
    return [*(lookup_keys(f"{local_part}@{home}") if local_part else ()), f"@{home}"]


def _mailboxes(addresses: set[str]) -> dict[str, bool]:
    """Return the mailboxes of these addresses, and whether each takes mail."""
    rows = Mailbox.objects.filter(user__address__in=addresses, removed_at=None)
    found = rows.values_list("user__address", "receives", "domain__active")
    return {address: receives and active for address, receives, active in found}


def _aliases(addresses: set[str]) -> dict[str, Alias]:
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    rows = Alias.objects.filter(
        unexpired, address__in=addresses, active=True, domain__active=True, mailbox__removed_at=None
    )
    return {row.address: row for row in rows}


def _step(key: str, boxes: dict[str, bool], aliases: dict[str, Alias]) -> _Step:
    """Return the step. A mailbox that receives no mail forwards none; a forward without a copy leaves none there."""
    alias = aliases.get(key)
    if key not in boxes:
        return _Step(targets=alias.targets if alias else ())
    if not boxes[key]:
        return _Step()
    return _Step(mailbox=key if alias is None or alias.keep_copy else None, targets=alias.targets if alias else ())


def _targets(address: str, steps: dict[str, _Step]) -> list[str] | None:
    """Return all that the name leads to, or None where that is all here."""
    met = _reach(address, steps)
    if not _leads_elsewhere(met, steps):
        return None
    destinations: list[str] = []
    served: set[str | None] = set()  # LMTP reaches these by a forward; listed too, mail would come twice
    for name in met:
        end = steps[name].elsewhere or steps[name].mailbox
        if end is None or end in served or end in destinations:
            continue
        destinations.append(end)
        behind = _reach(name, steps)[1:]
        if not _leads_elsewhere(behind, steps):
            served.update(steps[other].mailbox for other in behind)
    return destinations


def _leads_elsewhere(names: list[str], steps: dict[str, _Step]) -> bool:
    return any(steps[name].elsewhere for name in names)


def _reach(address: str, steps: dict[str, _Step]) -> list[str]:
    """Return the name and those behind it, each once, in the order in which they are met."""
    met: dict[str, None] = {}
    waiting = [address]
    while waiting:
        name = waiting.pop()
        if name not in met:
            met[name] = None
            waiting.extend(reversed(steps[name].targets))
    return list(met)
