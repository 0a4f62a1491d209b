"""Refused names of the web sign-in: counted in this process, and written behind the reply to a later request.

So no reply to a sign-in is slower for a name that nobody has. What is counted last may be lost with the process.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from django.db import DatabaseError, connection, transaction
from psycopg import RawCursor

from mailstore.models import RefusedName
from mailstore.policy.addresses import BadAddress, normal_address
from mailstore.policy.refused_names import Counts, RefusedCounts
from mailstore.policy.throttle import Bar
from mailstore.sql.statements.refused_names import PRUNE_REFUSED_NAMES, REFUSED_NAMES, refused_names_parameters
from popadmin.signin.limits import LOCAL

log = logging.getLogger("popadmin.signin")

PROTOCOL = "web"
KEPT_SECONDS = 5  # from the first refusal that is counted to the batch
Reason = RefusedName.Reason


class RefusedNames:
    """The refused names of one process, whose threads share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts = RefusedCounts()
        self._due_at: datetime | None = None

    def unknown(self, client: str, name: str) -> None:
        """Count a sign-in with a name that nobody has."""
        self._add(Reason.UNKNOWN, client, name=_address(name))

    def barred(self, client: str, name: str, bar: Bar) -> None:
        """Count a sign-in that a limit refused. The bar of a whole network is counted without names."""
        reason = Reason(bar.limit.value)
        until = datetime.now(UTC) + timedelta(seconds=bar.seconds)
        self._add(reason, client, name=_address(name) if reason is Reason.ACCOUNT else "", until=until)

    def write_due(self, **_signal: Any) -> None:
        """Write what was counted a few seconds ago. A receiver of `request_finished`."""
        if self._due_at is not None and datetime.now(UTC) >= self._due_at:
            self.write()

    def write(self) -> None:
        """Write all that was counted. A batch that cannot be written is lost."""
        with self._lock:
            counts, self._due_at = self._counts.take(), None
        try:
            if counts:
                _write(counts)
        except DatabaseError:
            log.exception("%d rows of refused names were not written", len(counts))

    def _add(self, reason: Reason, client: str, *, name: str, until: datetime | None = None) -> None:
        now = datetime.now(UTC)
        with self._lock:
            self._counts.add(reason.value, client or LOCAL, PROTOCOL, now, name=name, until=until)
            if self._due_at is None:
                self._due_at = now + timedelta(seconds=KEPT_SECONDS)


def _address(name: str) -> str:
    """Return the normal form of an address; "" for another text, which may be a password in the wrong field."""
    try:
        return normal_address(name)
    except BadAddress:
        return ""


def _write(counts: Counts) -> None:
    values = [None if value is None else value.decode() for value in refused_names_parameters(counts)]
    with transaction.atomic(), connection.wrap_database_errors:
        cursor = RawCursor(connection.connection)
        cursor.execute(REFUSED_NAMES.sql, values)
        cursor.execute(PRUNE_REFUSED_NAMES.sql)


refused_names = RefusedNames()
