"""The address that was probably meant by one that nobody has."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from mailstore.models import User
from popadmin.panel import access

CANDIDATES = 200  # addresses that are compared with the names of a page
BEGINNING = 3  # characters that an address at least shares with a mistyped one
LIKENESS = 0.85  # of two addresses; one letter in ten may differ


@dataclass(frozen=True, slots=True)
class Meant:
    """The mailbox that was probably meant, or an alias of this very name that opens none (`mailbox` is None)."""

    address: str
    mailbox: int | None


def mailboxes(names: Sequence[str], user: User) -> dict[str, Meant]:
    """Return the mailbox that was probably meant by each name, as far as this user may see it. One statement."""
    if not names:
        return {}
    beginnings = {name: (f"{name.partition('@')[0]}@", _beginning(name)) for name in names}
    near = Q()
    for beginning in {one for each in beginnings.values() for one in each}:
        near |= Q(user__address__startswith=beginning)
    candidates = dict(access.mailboxes(user).filter(near).values_list("user__address", "pk")[:CANDIDATES])
    found = {}
    for name in names:
        alike = [address for address in candidates if address.startswith(beginnings[name])]
        for address in difflib.get_close_matches(name, alike, n=1, cutoff=LIKENESS):
            found[name] = Meant(address, candidates[address])
    return found


def _beginning(name: str) -> str:
    """Return the first half of the local part: what comes later may be mistyped."""
    local_part = name.partition("@")[0]
    return local_part[: max(BEGINNING, len(local_part) // 2)]
