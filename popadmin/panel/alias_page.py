"""What the pages say about aliases: which of their targets lead to nobody, and where mail for them arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailstore.directory import alias_targets, mta_expansion
from mailstore.models import Alias, User
from popadmin.panel import access

ARRIVALS_MOST = 20  # addresses that a page names; the others are counted


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The addresses where mail arrives, each with the key of its mailbox if the user may see it; `more` others."""

    shown: list[tuple[str, int | None]]
    more: int


def arrivals(alias: Alias, user: User) -> Arrivals | None:
    """Return where mail for an alias arrives, as far as this user may see; None if its targets say it already."""
    found = mta_expansion.destinations(alias, within=access.domains(user))
    if set(found) <= set(alias.targets):
        return None
    named = found[:ARRIVALS_MOST]
    keys = dict(access.mailboxes(user).filter(user__address__in=named).values_list("user__address", "pk"))
    return Arrivals([(address, keys.get(address)) for address in named], len(found) - len(named))


def mark_unknown(aliases: Sequence[Any], user: User) -> set[str]:
    """Give each alias its `unknown` targets, as far as this user may see their domains; in four statements for all.

    Returns the targets of all.
    """
    unknown = alias_targets.unknown(
        {target for alias in aliases for target in alias.targets}, within=access.domains(user)
    )
    for alias in aliases:
        alias.unknown = [target for target in alias.targets if target in unknown]
    return unknown
