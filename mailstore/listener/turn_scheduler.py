"""Schedule the lines of connections that sent several at once: round robin, for a bounded time per turn of the loop."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

TURN_LINES = 64  # of one connection in a row; a pipeline of a mail program takes one turn or two
ROUND_SECONDS = 0.001  # for all turns together, before the loop looks at its sockets again


class TurnScheduler:
    """The connections of one kind whose lines wait.

    A round lasts from one turn of the loop to the next. Lines that wait from earlier rounds come first; lines that just
    came get what is left of the round. A line that came alone needs no turn. So a client that sends one command and
    waits for the answer waits for one round at most, however many others pipeline.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._waiting: deque[Callable[[], None]] = deque()
        self._ends_at = 0.0
        self._open = False
        self._holder: object = None  # the connection that has the turn
        self._lines_left = 0

    def __len__(self) -> int:
        """Return how many connections wait."""
        return len(self._waiting)

    def grant(self, holder: object) -> bool:
        """Say whether `holder` may obey one more line now."""
        if holder is not self._holder:
            self._holder = holder
            self._lines_left = TURN_LINES
        if not self._open:
            self._begin()
        self._lines_left -= 1
        return self._lines_left >= 0 and self._now() < self._ends_at

    def wait(self, act: Callable[[], None]) -> None:
        """Call `act` at its turn, after those that wait."""
        self._waiting.append(act)
        if not self._open:
            self._begin()

    def _begin(self) -> None:
        self._open = True
        self._ends_at = self._now() + ROUND_SECONDS
        asyncio.get_running_loop().call_soon(self._next_round)

    def _next_round(self) -> None:
        self._ends_at = self._now() + ROUND_SECONDS
        try:
            while self._waiting:
                self._holder = None
                self._waiting.popleft()()
                if self._now() >= self._ends_at:
                    break
        finally:  # without a next round, no connection would ever have a turn again
            self._holder = None
            self._open = bool(self._waiting)
            if self._open:
                asyncio.get_running_loop().call_soon(self._next_round)
