"""Whether the devices of open sessions still may use POP: asked for all of a worker's at once, while there are any.

Asked rather than told (by NOTIFY): one cheap statement for all open sessions sees every way in which a device can be
barred, also by a hand in the database, and nothing is missed while a connection is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from mailstore.errors import MailError
from mailstore.store import literals
from mailstore.store.lane import StatementFailed
from mailstore.store.lanes import Lanes
from mailstore.store.statements.viewing import BARRED

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

log = logging.getLogger("popadmin.signin")

LOOK_SECONDS = 0.5  # a session ends within a second of the change, with time to spare for a busy database


class Standing:
    """The open sessions of one worker, by their device."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._open: dict[int, list[Callable[[], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def watch(self, device: int, barred: Callable[[], None]) -> None:
        """Call `barred` soon after the device may use POP no more, until `forget`."""
        self._open.setdefault(device, []).append(barred)
        if self._timer is None:
            self._look_later()

    def forget(self, device: int, barred: Callable[[], None]) -> None:
        watching = self._open.get(device, [])
        if barred in watching:
            watching.remove(barred)
        if not watching:
            self._open.pop(device, None)

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        if self._open:
            self._lanes.read(BARRED, (literals.bigints(self._open),), self._looked)
        else:
            self._timer = None

    def _looked(self, answer: PGresult | MailError) -> None:
        """A database that is away, or busy, is asked again."""
        if self._closed:
            return
        self._look_later()
        if isinstance(answer, StatementFailed):
            log.error("whether devices may still use POP could not be read: %s", answer)
        elif not isinstance(answer, MailError):
            for row in range(answer.ntuples):
                for barred in tuple(self._open.get(int(answer.get_value(row, 0) or 0), ())):
                    barred()
