"""What sessions tell, written to the log: one record an event, no secret, nothing a peer could forge a line with."""

from __future__ import annotations

import logging
from dataclasses import fields

from mailstore.errors import MailError
from mailstore.ports import SessionRecord

log = logging.getLogger("popadmin.session")

_FIELDS = tuple(field.name for field in fields(SessionRecord))


class LogJournal:
    """ports.Journal over Python's logging; `popadmin.logs` decides on text or JSON."""

    def cleartext_refused(self, client: str, command: str) -> None:
        log.warning("cleartext refused", extra={"data": {"client": client, "command": command}})

    def session_ended(self, record: SessionRecord) -> None:
        if not log.isEnabledFor(logging.INFO):
            return
        data = {name: value for name in _FIELDS if (value := getattr(record, name)) not in (None, 0)}
        log.info("session", extra={"data": data})

    def trouble(self, error: MailError, doing: str) -> None:
        log.error("%s: %s: %s", doing, type(error).__name__, error)
