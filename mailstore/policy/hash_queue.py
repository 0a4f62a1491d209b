"""Choose which password check runs next, and which gives up if too many wait. Pure; `now` is an argument.

A slow hash is the most expensive thing that a stranger can ask for. So the check of the account and network with the
fewest recent checks goes first. Among equals the newest goes first: if more checks come than can run, the old ones time
out anyway. There are three queues:

- *known*: the account signed in from that network before. It goes first, but leaves every fourth turn to strangers.
- *stranger*: all others.
- *last*: the client closed its side, and may be gone. It runs if nothing else waits, and only now and then.

In the queue of strangers an account has one check at a time; in the queue of known ones, an account in one network.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count
from typing import Generic, TypeVar

from mailstore.policy.networks import NAME_CHARACTERS

WINDOW_SECONDS = 60.0  # how long a check counts against others
TABLE_LIMIT = 20_000  # networks and accounts with a count; the oldest are dropped
QUEUE_LIMIT = 256  # checks that wait in one queue: some four seconds of work
NETWORK_LIMIT = 64  # strangers of one network that wait: an office after a power cut
PAIR_LIMIT = 32  # checks of one account in one known network that wait: its devices and their connections
LAST_LIMIT = 16  # scripts that close their side after the last command; a flood of such clients is gone
LAST_SECONDS = 0.5  # between two checks of the last queue, so a flood costs a twentieth of a core
WAIT_SECONDS = 10.0  # a check that waited so long gives up; mail programs wait for 30 s and more
STRANGERS_TURN = 4  # every fourth turn


class QueueName(Enum):
    """Where a check waits."""

    KNOWN = auto()
    STRANGER = auto()
    LAST = auto()


@dataclass(eq=False, slots=True, kw_only=True)
class Waiter:
    """One check that waits. `network` is None for clients on this machine, such as a webmail."""

    account: str
    network: str | None
    queue: QueueName
    since: float = 0.0
    number: int = 0

    def account_key(self) -> str:
        """Return the key of its account. Outside the last queue only one check with this key runs at a time."""
        account = self.account[:NAME_CHARACTERS]
        return f"pair {self.network or ''} {account}" if self.queue is QueueName.KNOWN else f"account {account}"

    def network_key(self) -> str | None:
        """Return the key of its network; None on this machine."""
        return f"network {self.network}" if self.network else None


W = TypeVar("W", bound=Waiter)


class _Recent:
    """The number of checks under each key within the window."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, tuple[float, int]] = (
            OrderedDict()
        )  # by key: end of the window, number; the oldest first

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
    """The checks of one process. The owner calls `take` for the next one, and `finished` after each."""

    def __init__(self) -> None:
        self._queues: dict[QueueName, dict[W, None]] = {queue: {} for queue in QueueName}
        self._recent = _Recent()
        self._running: set[str] = set()
        self._turns = 0
        self._last_at = float("-inf")  # when a check of the last queue began
        self._numbers = count()

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def add(self, waiter: W, now: float) -> W | None:
        """Add a check. Where too many wait, remove and return the last one of its kind, perhaps itself."""
        waiter.since, waiter.number = now, next(self._numbers)
        queue = self._queues[waiter.queue]
        queue[waiter] = None
        if waiter.queue is not QueueName.LAST:
            self._recent.add(waiter.account_key(), now)
        alike = [other for other in queue if _alike(other, waiter)]
        if len(alike) > _ALIKE_LIMITS[waiter.queue]:
            loser = alike[0]
        elif len(queue) > QUEUE_LIMIT:
            loser = max(queue, key=lambda other: self._sort_key(other, now))
        else:
            return None
        del queue[loser]
        return loser

    def remove(self, waiter: W) -> bool:
        """Remove a check that waits; False where it does not wait."""
        queue = self._queues[waiter.queue]
        if waiter not in queue:
            return False
        del queue[waiter]
        return True

    def expired(self, now: float) -> list[W]:
        """Remove and return the checks that waited too long."""
        old = [waiter for queue in self._queues.values() for waiter in queue if now - waiter.since >= WAIT_SECONDS]
        for waiter in old:
            self.remove(waiter)
        return old

    def take(self, now: float) -> W | None:
        """Remove and return the next check; None where none may begin now."""
        found = self._first(now)
        if found is None:
            return None
        self.remove(found)
        self._turns += 1
        if found.queue is QueueName.LAST:
            self._last_at = now
            return found
        self._running.add(found.account_key())
        if network := found.network_key():
            self._recent.add(network, now)
        return found

    def finished(self, waiter: W) -> None:
        """Learn that a check from `take` is over."""
        if waiter.queue is not QueueName.LAST:
            self._running.discard(waiter.account_key())

    def pause_seconds(self, now: float) -> float | None:
        """Return in how many seconds the last queue may go on; None where no check waits in it."""
        return max(0.0, self._last_at + LAST_SECONDS - now) if self._queues[QueueName.LAST] else None

    def _first(self, now: float) -> W | None:
        order = [QueueName.KNOWN, QueueName.STRANGER]
        if (self._turns + 1) % STRANGERS_TURN == 0:
            order.reverse()
        if now >= self._last_at + LAST_SECONDS:
            order.append(QueueName.LAST)
        for queue in order:
            waiting = self._queues[queue]
            free = [one for one in waiting if queue is QueueName.LAST or one.account_key() not in self._running]
            if free:
                return min(free, key=lambda waiter: self._sort_key(waiter, now))
        return None

    def _sort_key(self, waiter: W, now: float) -> tuple[int, int]:
        """Return the sort key of a check: the smallest goes first."""
        count = self._recent.count(waiter.account_key(), now)
        if network := waiter.network_key():
            count += self._recent.count(network, now)
        return count, -waiter.number


_ALIKE_LIMITS = {QueueName.KNOWN: PAIR_LIMIT, QueueName.STRANGER: NETWORK_LIMIT, QueueName.LAST: LAST_LIMIT}


def _alike(one: Waiter, other: Waiter) -> bool:
    """Say whether two checks share a limit. Checks from this machine share only the limit of their queue."""
    if one.queue is QueueName.LAST:
        return True
    if one.queue is QueueName.KNOWN:
        return one.account == other.account and one.network == other.network
    return one is other or (one.network is not None and one.network == other.network)
