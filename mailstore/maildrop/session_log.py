"""What sessions tell, written to the log: one record an event, no secret, nothing a peer could forge a line with."""

from __future__ import annotations

import logging
import time
from dataclasses import fields
from operator import attrgetter

from mailstore.errors import MailError
from mailstore.policy.addresses import BadAddress, normal_address
from mailstore.ports import SessionRecord

log = logging.getLogger("popadmin.session")

SESSIONS_AT_ONCE = 64

_FIELDS = tuple(field.name for field in fields(SessionRecord))
_values = attrgetter(*_FIELDS)


class LogJournal:
    """ports.Journal over Python's logging; `popadmin.config.logs` decides on text or JSON.

    Sessions that ended are logged several at a time, each with the moment of its end: in a row a line costs half of
    what it does between two sessions, where its code has left the caches. Whoever runs this calls `flush` every second
    or so, and at the end.
    """

    def __init__(self) -> None:
        self._ended: list[tuple[float, SessionRecord]] = []

    def cleartext_refused(self, client: str, command: str) -> None:
        log.warning("cleartext refused", extra={"data": {"client": client, "command": command}})

    def sign_in_refused(self, client: str, proxy: str | None, address: str, *, mechanism: str, cause: str) -> None:
        """`client` comes first and is never quoted: programs that bar addresses read it (docs/install.md)."""
        told = {"client": client, "proxy": proxy, "address": _address(address), "mechanism": mechanism, "cause": cause}
        data = {name: value for name, value in told.items() if value is not None}
        log.warning("sign-in refused", extra={"data": data})

    def session_ended(self, record: SessionRecord) -> None:
        self._ended.append((time.time(), record))
        if len(self._ended) >= SESSIONS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
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


def _address(typed: str) -> str | None:
    """What was typed, if it is an address: anything else may be a password in the wrong place."""
    try:
        return normal_address(typed)
    except BadAddress:
        return None
