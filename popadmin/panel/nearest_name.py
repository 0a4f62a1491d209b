"""The addresses that were probably meant by one that nobody has, as far as a user may see them."""

from __future__ import annotations

from collections.abc import Sequence

from mailstore.directory import nearest_addresses
from mailstore.directory.nearest_addresses import Near
from mailstore.models import Alias, User
from popadmin.panel import access


def addresses(names: Sequence[str], user: User) -> dict[str, Sequence[Near]]:
    """Return the mailboxes and aliases that were probably meant by each name, the nearest first. One statement."""
    return nearest_addresses.of(names, access.mailboxes(user), access.aliases(user))


def mailboxes(names: Sequence[str], user: User) -> dict[str, Near]:
    """Return the mailbox that was probably meant by each name: an alias signs nobody in. One statement."""
    found = nearest_addresses.of(names, access.mailboxes(user), Alias.objects.none())
    return {name: nearest[0] for name, nearest in found.items()}
