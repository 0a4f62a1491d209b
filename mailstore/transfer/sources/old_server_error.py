"""What an old server does to a client that moves mail from it.

OldServerError
├── PasswordRefused   the server does not take this user and password
├── Lost              the connection was cut, took too long, or the server asks to come again: try again later
└── Unusable          no trusted TLS, no UIDL, or replies that are no POP3; another try ends alike
"""

from __future__ import annotations

from enum import Enum


class Flaw(Enum):
    """Why an old server cannot be used."""

    NO_TLS = "it offers no TLS"
    BAD_CERTIFICATE = "its certificate is not trusted"
    TLS_FAILED = "TLS failed"
    NO_UIDL = "it has no UIDL"
    NOT_POP3 = "its reply is not POP3"
    TOO_MANY = "it has too many messages"


class OldServerError(Exception):
    """The base of all. The text says what happened, with the words of the server."""


class PasswordRefused(OldServerError):
    """The server does not take this user and password."""


class Lost(OldServerError):
    """The server cannot be reached, was cut off, or is busy. A later try may succeed."""


class Unusable(OldServerError):
    """Another try would end alike."""

    def __init__(self, flaw: Flaw, detail: str = "") -> None:
        super().__init__(f"{flaw.value}: {detail}" if detail else flaw.value)
        self.flaw = flaw
        self.detail = detail


class NotGiven(OSError):
    """The server does not give this one message, or it is too large."""
