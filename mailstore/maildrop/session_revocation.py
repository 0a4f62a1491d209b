"""Ends open sessions whose credential was revoked: asks the database for all sessions of a worker at once.

Polling is better here than NOTIFY. One cheap statement for all open sessions sees every way in which a device is barred
or a password changed, even by hand in the database, and misses nothing while a connection is lost.
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

POLL_SECONDS = 0.5  # a session ends within a second of the change, even if the database is busy


class Credential(NamedTuple):
    """What opened a session: a device, and for the main password its version."""

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
        """Call `barred` within a second after the credential may no longer use POP, until `forget` is called."""
        self._open.setdefault(credential, []).append(barred)
        if self._timer is None:
            self._look_later()

    def forget(self, credential: Credential, barred: Callable[[], None]) -> None:
        """Stop watching for one session."""
        watching = self._open.get(credential, [])
        if barred in watching:
            watching.remove(barred)
        if not watching:
            self._open.pop(credential, None)

    def close(self) -> None:
        """Ask no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(POLL_SECONDS, self._look)

    def _look(self) -> None:
        if self._open:
            credentials = tuple(self._open)
            devices = array_literals.bigints(one.device for one in credentials)
            versions = array_literals.verbatim(one.password_version for one in credentials)
            parameters = BARRED.values(device_ids=devices, password_versions=versions)
            self._lanes.read(BARRED, parameters, lambda answer: self._looked(answer, credentials))
        else:
            self._timer = None

    def _looked(self, answer: PGresult | MailError, credentials: Sequence[Credential]) -> None:
        """Tell the sessions that are barred, and ask again later, also after an error."""
        if self._closed:
            return
        if isinstance(answer, StatementFailed):
            log.error("whether devices may still use POP could not be read: %s", answer)
        elif not isinstance(answer, MailError):
            for row in range(answer.ntuples):
                credential = credentials[int(answer.get_value(row, 0) or 0) - 1]
                for barred in tuple(self._open.get(credential, ())):
                    _end(barred)
        self._look_later()


def _end(barred: Callable[[], None]) -> None:
    """Tell one session. A bug there must not keep the other sessions alive."""
    try:
        barred()
    except Exception:
        log.exception("a session that is barred could not be ended")
