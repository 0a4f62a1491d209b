"""The port of the log: sessions report events to it, and at their end what they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mailstore.errors import MailError


@dataclass(slots=True)
class SessionRecord:
    """What a POP3 session did, reported once at its end (P-198). The counts are of commands answered +OK."""

    client: str
    proxy: str | None = None
    address: str | None = None
    device: str | None = None
    mechanism: str | None = None
    tls: str | None = None
    reason: str = "lost"
    top: int = 0
    retr: int = 0
    dele: int = 0
    octets_in: int = 0
    octets_out: int = 0
    removed: int = 0
    messages: int = 0
    uidl_digest: str | None = None


class Journal(Protocol):
    """Where sessions report what happened. It never raises and never waits, and it escapes texts from peers."""

    def cleartext_refused(self, client: str, command: str) -> None:
        """Report that a password command was refused because TLS was missing."""

    def sign_in_refused(self, client: str, proxy: str | None, address: str, *, mechanism: str, cause: str) -> None:
        """Report a refused sign-in.

        `address` is as the user typed it. It is logged only if it is an address, since it may be a password by mistake.
        """

    def session_ended(self, record: SessionRecord) -> None:
        """Report a session that ended."""

    def trouble(self, error: MailError, doing: str) -> None:
        """Report an error that the peer saw only as a neutral reply; `doing` says what was tried."""
