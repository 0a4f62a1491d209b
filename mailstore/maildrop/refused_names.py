"""Writes who cannot come in without an account of their own: unknown names, limits, TLS that did not begin.

In batches, apart from replies and diary.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from mailstore.errors import MailError
from mailstore.models import RefusedName
from mailstore.pg.pipeline import StatementFailed
from mailstore.policy.refused_names import RefusedCounts
from mailstore.policy.throttle import Bar
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.refused_names import PRUNE_REFUSED_NAMES, REFUSED_NAMES, refused_names_parameters

log = logging.getLogger("popadmin.signin")

WRITE_SECONDS = 5  # between two batches, however many sign-ins are refused
Reason = RefusedName.Reason


class RefusedNames:
    """The refused names of one worker. Call `flush` every second or so, and with `every` at the end.

    To lose a batch is harmless, and so is one that is written twice since its answer was lost.
    """

    def __init__(self, lanes: ConnectionPool, protocol: str = "pop3") -> None:
        self._lanes = lanes
        self._protocol = protocol
        self._counts = RefusedCounts()
        self._due_at = datetime.now(UTC)
        self._writing = False

    def unknown(self, client: str, name: str) -> None:
        """Count a sign-in with a name that nobody has; `name` is "" if it is no address."""
        self._counts.add(Reason.UNKNOWN.value, client, self._protocol, datetime.now(UTC), name=name)

    def barred(self, client: str, name: str, bar: Bar) -> None:
        """Count a sign-in that a limit refused. The bar of a whole network is counted without names."""
        now = datetime.now(UTC)
        reason, until = Reason(bar.limit.value), now + timedelta(seconds=bar.seconds)
        shown = name if reason is Reason.ACCOUNT else ""
        self._counts.add(reason.value, client, self._protocol, now, name=shown, until=until)

    def crowded(self, client: str) -> None:
        """Count a connection that was refused: its address has too many."""
        self._counts.add(Reason.CONNECTIONS.value, client, self._protocol, datetime.now(UTC))

    def mismatched(self, client: str, reason: Reason, version: str) -> None:
        """Count a client with which no TLS can begin; `version` is the newest that it offered, "" if none is known."""
        self._counts.add(reason.value, client, self._protocol, datetime.now(UTC), name=client, version=version)

    def misled(self, client: str, reason: Reason) -> None:
        """Count a client that is set up for another encryption than the port has, whatever its address."""
        self._counts.add(reason.value, client, self._protocol, datetime.now(UTC))

    def flush(self, done: Callable[[], None] = lambda: None, *, every: bool = False) -> None:
        """Write what is due, with `every` all of it. `done` is called once, even if writing failed."""
        now = datetime.now(UTC)
        if not self._counts or not (every or (now >= self._due_at and not self._writing)):
            done()
            return
        self._due_at = now + timedelta(seconds=WRITE_SECONDS)
        self._writing = True
        counts = self._counts.take()

        def written(answer: object) -> None:
            self._writing = False
            if isinstance(answer, StatementFailed):
                log.error("%d rows of refused names were not written: %s", len(counts), answer)
            elif isinstance(answer, MailError):
                self._counts.take_back(counts)
            done()

        steps = ((REFUSED_NAMES, refused_names_parameters(counts)), (PRUNE_REFUSED_NAMES, ()))
        self._lanes.write(steps, written)
