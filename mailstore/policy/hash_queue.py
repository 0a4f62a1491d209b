"""Which password check runs next, and which one gives up when too many wait; pure, `now` is an argument.

Slow hashes are the scarcest thing a stranger can ask for. So the one goes first whose account was asked for least and
whose network got the fewest of them recently, and the newest goes first among equals: when more checks come than can
run, the old ones wait in vain anyway. Three lanes:

- *known*: the account signed in from that network before. It goes first, but leaves every fourth turn to strangers.
- *stranger*: everybody else.
- *last*: the client closed its side, and may be gone. It runs when nothing else waits, and only now and then.

One account has one check at a time in the lane of strangers, one account in one network in the lane of known ones.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count
from typing import Generic, TypeVar

from mailstore.policy.throttle import NAME_CHARACTERS

WINDOW_SECONDS = 60.0  # how long a check counts against others
TABLE_LIMIT = 20_000  # networks and accounts that are counted; the oldest go
LANE_LIMIT = 256  # checks that wait in one lane: some four seconds of work
NETWORK_LIMIT = 64  # strangers of one network that wait: an office that comes back from a power cut
PAIR_LIMIT = 32  # checks of one account in one known network that wait: its devices and their connections
LAST_LIMIT = 16  # scripts that close their side behind the last command; a flood of such clients is gone
LAST_SECONDS = 0.5  # between two checks of the last lane: a flood costs a twentieth of a core
WAIT_SECONDS = 10.0  # a check that waited so long gives up; mail programs wait for 30 s and more
STRANGERS_TURN = 4  # every fourth turn


class HashLane(Enum):
    KNOWN = auto()
    STRANGER = auto()
    LAST = auto()


@dataclass(eq=False, slots=True, kw_only=True)
class Waiter:
    """One check that waits. `network` is None on this machine itself, where the clients of a webmail are no network."""

    account: str
    network: str | None
    lane: HashLane
    since: float = 0.0
    number: int = 0

    def asks_for(self) -> str:
        """The key under which it counts as soon as it waits; it has one check at a time, but in the last lane."""
        account = self.account[:NAME_CHARACTERS]
        return f"pair {self.network or ''} {account}" if self.lane is HashLane.KNOWN else f"account {account}"

    def comes_from(self) -> str | None:
        """The key under which it counts once it runs; None on this machine."""
        return f"network {self.network}" if self.network else None


W = TypeVar("W", bound=Waiter)


class _Recent:
    """How many checks counted under each key within the window."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()  # until when, how many; the oldest first

    def count(self, key: str, now: float) -> int:
        until, found = self._counts.get(key, (now, 0))
        return found if until > now else 0

    def add(self, key: str, now: float) -> None:
        until, found = self._counts.get(key, (now, 0))
        if until <= now:
            self._counts.pop(key, None)
            until, found = now + WINDOW_SECONDS, 0
        self._counts[key] = (until, found + 1)
        if len(self._counts) > TABLE_LIMIT:
            self._counts.popitem(last=False)


class HashQueue(Generic[W]):
    """The checks of one process. Its owner calls `take` for the next one, and `finished` behind each."""

    def __init__(self) -> None:
        self._lanes: dict[HashLane, dict[W, None]] = {lane: {} for lane in HashLane}
        self._recent = _Recent()
        self._running: set[str] = set()
        self._turns = 0
        self._last_at = float("-inf")  # when a check of the last lane began
        self._numbers = count()

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def add(self, waiter: W, now: float) -> W | None:
        """Let it wait. Where too many wait, return who gives up: the worst placed of its kind, perhaps itself."""
        waiter.since, waiter.number = now, next(self._numbers)
        lane = self._lanes[waiter.lane]
        lane[waiter] = None
        if waiter.lane is not HashLane.LAST:
            self._recent.add(waiter.asks_for(), now)
        alike = [other for other in lane if _alike(other, waiter)]
        if len(alike) > _ALIKE_LIMITS[waiter.lane]:
            loser = alike[0]
        elif len(lane) > LANE_LIMIT:
            loser = max(lane, key=lambda other: self._place(other, now))
        else:
            return None
        del lane[loser]
        return loser

    def remove(self, waiter: W) -> bool:
        """Let it wait no more; False when it did not wait."""
        lane = self._lanes[waiter.lane]
        if waiter not in lane:
            return False
        del lane[waiter]
        return True

    def expired(self, now: float) -> list[W]:
        """Remove and return those that waited too long."""
        old = [waiter for lane in self._lanes.values() for waiter in lane if now - waiter.since >= WAIT_SECONDS]
        for waiter in old:
            self.remove(waiter)
        return old

    def take(self, now: float) -> W | None:
        """Remove and return the one whose turn it is; None when nobody may begin now."""
        found = self._first(now)
        if found is None:
            return None
        self.remove(found)
        self._turns += 1
        if found.lane is HashLane.LAST:
            self._last_at = now
            return found
        self._running.add(found.asks_for())
        if network := found.comes_from():
            self._recent.add(network, now)
        return found

    def finished(self, waiter: W) -> None:
        """The check that was taken is over."""
        if waiter.lane is not HashLane.LAST:
            self._running.discard(waiter.asks_for())

    def pause_seconds(self, now: float) -> float | None:
        """In how many seconds the last lane may go on; None when nothing waits there."""
        return max(0.0, self._last_at + LAST_SECONDS - now) if self._lanes[HashLane.LAST] else None

    def _first(self, now: float) -> W | None:
        order = [HashLane.KNOWN, HashLane.STRANGER]
        if (self._turns + 1) % STRANGERS_TURN == 0:
            order.reverse()
        if now >= self._last_at + LAST_SECONDS:
            order.append(HashLane.LAST)
        for lane in order:
            free = [one for one in self._lanes[lane] if lane is HashLane.LAST or one.asks_for() not in self._running]
            if free:
                return min(free, key=lambda waiter: self._place(waiter, now))
        return None

    def _place(self, waiter: W, now: float) -> tuple[int, int]:
        """The smaller goes first."""
        count = self._recent.count(waiter.asks_for(), now)
        if network := waiter.comes_from():
            count += self._recent.count(network, now)
        return count, -waiter.number


_ALIKE_LIMITS = {HashLane.KNOWN: PAIR_LIMIT, HashLane.STRANGER: NETWORK_LIMIT, HashLane.LAST: LAST_LIMIT}


def _alike(one: Waiter, other: Waiter) -> bool:
    """Whether they share a bound. What comes from this machine itself has none below that of its lane."""
    if one.lane is HashLane.LAST:
        return True
    if one.lane is HashLane.KNOWN:
        return one.account == other.account and one.network == other.network
    return one is other or (one.network is not None and one.network == other.network)
