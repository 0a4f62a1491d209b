"""Count refused sign-ins that no diary of a mailbox can tell, until they are written. Memory is bounded. Pure.

Those that are alike are one count. A flood of names costs a constant number of rows: names of one network above
NAMES_OF_A_NETWORK are counted together, and so are networks above ROWS_AT_MOST counts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from mailstore.policy.networks import NAME_CHARACTERS, network

ROWS_AT_MOST = 200  # counts of one batch
NAMES_OF_A_NETWORK = 20  # in one batch; as many distinct unknown names bar a network for an hour
NETWORK_CHARACTERS = 64


class Alike(NamedTuple):
    """What refused sign-ins have in common. `name` is "" for what is no address, `network` where many tried at once."""

    network: str
    reason: str  # RefusedName.Reason
    name: str
    protocol: str
    version: str = ""  # of TLS, where it did not begin


@dataclass(slots=True)
class Tries:
    """How often, when, and until when the limit is in force."""

    count: int
    first_at: datetime
    last_at: datetime
    until: datetime | None = None

    def add(self, other: Tries) -> None:
        self.count += other.count
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)
        self.until = max((at for at in (self.until, other.until) if at), default=None)


Counts = dict[Alike, Tries]


class RefusedCounts:
    """The counts of one process that are not written yet."""

    def __init__(self) -> None:
        self._counts: Counts = {}
        self._names: Counter[str] = Counter()  # by network

    def __len__(self) -> int:
        return len(self._counts)

    def add(
        self,
        reason: str,
        client: str,
        protocol: str,
        at: datetime,
        *,
        name: str = "",
        version: str = "",
        until: datetime | None = None,
    ) -> None:
        """Count one refusal. `client` is an address or "unix"; `name` is an address in normal form, or empty."""
        where = network(client)[:NETWORK_CHARACTERS]
        self._put(Alike(where, reason, name[:NAME_CHARACTERS], protocol, version), Tries(1, at, at, until))

    def take(self) -> Counts:
        """Return all counts, and forget them."""
        taken, self._counts = self._counts, {}
        self._names.clear()
        return taken

    def take_back(self, counts: Counts) -> None:
        """Add counts that could not be written."""
        for alike, tries in counts.items():
            self._put(alike, tries)

    def _put(self, alike: Alike, tries: Tries) -> None:
        if alike not in self._counts:
            alike = self._with_room(alike)
        found = self._counts.get(alike)
        if found is not None:
            found.add(tries)
            return
        self._counts[alike] = tries
        self._names[alike.network] += bool(alike.name)

    def _with_room(self, alike: Alike) -> Alike:
        """Return what it is counted as: without its name, or its network, where there is no room for these."""
        if alike.name and self._names[alike.network] >= NAMES_OF_A_NETWORK:
            alike = alike._replace(name="")
        if len(self._counts) >= ROWS_AT_MOST and alike not in self._counts:
            alike = alike._replace(name="", network="")
        return alike
