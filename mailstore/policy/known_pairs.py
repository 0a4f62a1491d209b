"""The pairs of account and network with a sign-in within a month, as far as one worker remembers them. Pure.

The database keeps them, so that a server that was just started knows them. A worker notes a pair once a day, and asks
the database only for pairs that it has not noted itself.
"""

from __future__ import annotations

from collections import OrderedDict

from mailstore.policy.throttle import DAY_SECONDS, NAME_CHARACTERS

KNOWN_DAYS = 30
NETWORKS_LIMIT = 64  # of one user at any time: a phone travels through many networks of its provider
NETWORKS_KEPT = 32  # the newest, which the sweep keeps
TABLE_LIMIT = 20_000  # pairs that a worker remembers, some 4 MB; the oldest are dropped


class KnownPairs:
    """The pairs that one worker noted within a day."""

    def __init__(self) -> None:
        self._noted: OrderedDict[str, float] = OrderedDict()  # by pair: until when; the oldest first

    def has(self, account: str, network: str, now: float) -> bool:
        return self._noted.get(_pair(account, network), now) > now

    def note(self, account: str, network: str, now: float) -> None:
        """Note a pair that is in the database, or on its way there."""
        pair = _pair(account, network)
        self._noted[pair] = now + DAY_SECONDS
        self._noted.move_to_end(pair)
        if len(self._noted) > TABLE_LIMIT:
            self._noted.popitem(last=False)


def _pair(account: str, network: str) -> str:
    """Return the key of a pair; the name of a network has no blank."""
    return f"{network} {account[:NAME_CHARACTERS]}"
