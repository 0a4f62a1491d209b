"""The port of the log: sessions report events to it."""

from __future__ import annotations

from typing import Protocol

from mailstore.errors import MailError
from mailstore.ports.maildrop import SessionRecord


class Journal(Protocol):
    """Where sessions report what happened. It never raises and never waits, and it escapes texts from peers."""

    def cleartext_refused(self, client: str, command: str) -> None:
        """Report that a password command was refused because TLS was missing."""

    def sign_in_refused(self, client: str, proxy: str | None, address: str, *, mechanism: str, cause: str) -> None:
        """Report a refused sign-in.

        `address` is as typed. It is logged only if it is an address: a password typed in the wrong place is a secret.
        """

    def session_ended(self, record: SessionRecord) -> None:
        """Report a session that ended."""

    def trouble(self, error: MailError, doing: str) -> None:
        """Report an error that the peer saw only as a neutral reply; `doing` says what was tried."""
