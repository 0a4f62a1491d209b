"""Whether open sessions still may use POP: asked for all of a worker's at once, while there are any.

Asked rather than told (by NOTIFY): one cheap statement for all open sessions sees every way in which a device can be
barred and a password changed, also by a hand in the database, and nothing is missed while a connection is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mailstore.errors import MailError
from mailstore.pg import array_literals
from mailstore.pg.pipeline import StatementFailed
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.view import BARRED

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

log = logging.getLogger("popadmin.signin")

LOOK_SECONDS = 0.5  # a session ends within a second of the change, with time to spare for a busy database


class Credential(NamedTuple):
    """What opened a session: a device, and the version of the main password where that was it."""

    device: int
    password_version: bytes | None


class SessionRevocation:
    """The open sessions of one worker, by their credential."""

    def __init__(self, lanes: ConnectionPool) -> None:
        self._lanes = lanes
        self._open: dict[Credential, list[Callable[[], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def watch(self, credential: Credential, barred: Callable[[], None]) -> None:
        """Call `barred` soon after the credential may use POP no more, until `forget`."""
        self._open.setdefault(credential, []).append(barred)
        if self._timer is None:
            self._look_later()

    def forget(self, credential: Credential, barred: Callable[[], None]) -> None:
        watching = self._open.get(credential, [])
        if barred in watching:
            watching.remove(barred)
        if not watching:
            self._open.pop(credential, None)

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        if self._open:
            asked = tuple(self._open)
            devices = array_literals.bigints(one.device for one in asked)
            versions = array_literals.printed(one.password_version for one in asked)
            parameters = BARRED.values(device_ids=devices, password_versions=versions)
            self._lanes.read(BARRED, parameters, lambda answer: self._looked(answer, asked))
        else:
            self._timer = None

    def _looked(self, answer: PGresult | MailError, asked: Sequence[Credential]) -> None:
        """A database that is away, or busy, is asked again."""
        if self._closed:
            return
        self._look_later()
        if isinstance(answer, StatementFailed):
            log.error("whether devices may still use POP could not be read: %s", answer)
        elif not isinstance(answer, MailError):
            for row in range(answer.ntuples):
                credential = asked[int(answer.get_value(row, 0) or 0) - 1]
                for barred in tuple(self._open.get(credential, ())):
                    barred()
