"""The log of sessions: one record for each event, without secrets, and without text that could forge a line."""

from __future__ import annotations

import logging
import time
from dataclasses import fields
from operator import attrgetter

from mailstore.errors import MailError
from mailstore.policy.addresses import BadAddress, normal_address
from mailstore.ports import SessionRecord

log = logging.getLogger("popadmin.session")

SESSIONS_AT_ONCE = 64  # ended sessions that are logged together

_FIELDS = tuple(field.name for field in fields(SessionRecord))
_values = attrgetter(*_FIELDS)


class LogJournal:
    """ports.Journal over Python's logging; `popadmin.config.logs` chooses between text and JSON.

    Ended sessions are logged several at a time, each with the time of its end. In a row a line costs half of what it
    costs between two sessions, since its code stays in the caches. The worker calls `flush` every second or so, and at
    the end.
    """

    def __init__(self) -> None:
        self._ended: list[tuple[float, SessionRecord]] = []

    def cleartext_refused(self, client: str, command: str) -> None:
        log.warning("cleartext refused", extra={"data": {"client": client, "command": command}})

    def sign_in_refused(self, client: str, proxy: str | None, address: str, *, mechanism: str, cause: str) -> None:
        """Log it. `client` comes first and is never quoted: programs that ban addresses read it (docs/install.md)."""
        given = {"client": client, "proxy": proxy, "address": _address(address), "mechanism": mechanism, "cause": cause}
        data = {name: value for name, value in given.items() if value is not None}
        log.warning("sign-in refused", extra={"data": data})

    def session_ended(self, record: SessionRecord) -> None:
        self._ended.append((time.time(), record))
        if len(self._ended) >= SESSIONS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Log the sessions that have ended."""
        ended, self._ended = self._ended, []
        if not log.isEnabledFor(logging.INFO):
            return
        for at, session in ended:
            data = {name: value for name, value in zip(_FIELDS, _values(session), strict=True) if value}
            record = log.makeRecord(log.name, logging.INFO, "", 0, "session", (), None, extra={"data": data})
            record.created = at
            log.handle(record)

    def trouble(self, error: MailError, doing: str) -> None:
        log.error("%s: %s: %s", doing, type(error).__name__, error)


def _address(name: str) -> str | None:
    """Return what was typed if it is an address; None if not, since it may be a password in the wrong field."""
    try:
        return normal_address(name)
    except BadAddress:
        return None
