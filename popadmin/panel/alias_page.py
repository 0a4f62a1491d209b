"""What the pages say about aliases: which targets lead to nobody, and where mail arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailstore.directory import alias_targets, mta_expansion
from mailstore.models import Alias, Mailbox, User
from popadmin.panel import access

ARRIVALS_MOST = 20  # addresses that a page names; the others are counted


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The addresses where mail arrives, each with the key of its mailbox if it is one; `more` others."""

    shown: list[tuple[str, int | None]]
    more: int


def arrivals(alias: Alias) -> Arrivals | None:
    """Return where mail for an alias arrives, for a hosting admin: the way may lead through anybody's domain.

    None if its targets say it already.
    """
    found = mta_expansion.ends(alias)
    if set(found) <= set(alias.targets):
        return None
    named = found[:ARRIVALS_MOST]
    keys = dict(Mailbox.objects.filter(removed_at=None, user__address__in=named).values_list("user__address", "pk"))
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
