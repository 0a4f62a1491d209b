"""From which networks accounts signed in within a month: for how long, and what a worker remembers of it; pure.

The database keeps it, so that a server that was just started knows it. A worker notes a pair once a day, and asks the
database only for pairs that it has not noted itself.
"""

from __future__ import annotations

from collections import OrderedDict

from mailstore.policy.throttle import DAY_SECONDS, NAME_CHARACTERS

KNOWN_DAYS = 30
NETWORKS_LIMIT = 64  # of one user at any time: a phone on its way through a mobile provider's
NETWORKS_KEPT = 32  # that the sweep leaves, the newest
TABLE_LIMIT = 20_000  # pairs that a worker remembers: some 4 MB, the oldest go


class KnownPairs:
    """What one worker noted within a day."""

    def __init__(self) -> None:
        self._noted: OrderedDict[str, float] = OrderedDict()  # until when, the oldest first

    def has(self, account: str, network: str, now: float) -> bool:
        return self._noted.get(_pair(account, network), now) > now

    def note(self, account: str, network: str, now: float) -> None:
        """Called when the pair is in the database, or on its way there."""
        pair = _pair(account, network)
        self._noted[pair] = now + DAY_SECONDS
        self._noted.move_to_end(pair)
        if len(self._noted) > TABLE_LIMIT:
            self._noted.popitem(last=False)


def _pair(account: str, network: str) -> str:
    """A network has no blank in its name."""
    return f"{network} {account[:NAME_CHARACTERS]}"
