"""The numbers beside the items of the menu. The panel registers how those of admins are counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.http import HttpRequest

from mailstore.models import User

ALERTS = frozenset({"overview"})  # items whose number counts faults
Counter = Callable[[HttpRequest, User], Mapping[str, int]]

_counters: list[Counter] = []


def register(counter: Counter) -> None:
    """Let `counter` give numbers by the URL names of menu items, for the users whom it knows. `apps.py` calls it."""
    if counter not in _counters:
        _counters.append(counter)


def of(request: HttpRequest, user: User) -> dict[str, int]:
    """Return the numbers that this user sees, by the URL names of the items. The mailbox is loaded with the user."""
    counts: dict[str, int] = {}
    mailbox = getattr(user, "mailbox", None)
    if mailbox is not None:
        counts |= {"messages": mailbox.messages, "recovery": mailbox.recovery_messages}
    for counter in _counters:
        counts |= counter(request, user)
    return counts
