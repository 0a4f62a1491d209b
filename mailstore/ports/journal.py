"""The port of the session log."""

from __future__ import annotations

from typing import Protocol

from mailstore.errors import MailError
from mailstore.ports.maildrop import SessionRecord


class Journal(Protocol):
    """Where sessions tell what happened. Never raises, never waits; texts from peers are escaped by it."""

    def cleartext_refused(self, client: str, command: str) -> None: ...

    def sign_in_refused(self, client: str, proxy: str | None, address: str, *, mechanism: str, cause: str) -> None:
        """A guess, or an owner's mistake. `address` is as typed; it is told only if it is one, since a password typed
        in the wrong place is a secret too."""

    def session_ended(self, record: SessionRecord) -> None: ...

    def trouble(self, error: MailError, doing: str) -> None: ...
