"""The port of moving at the first sign-in: whether an old server takes a password, and the move of the mail."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from mailstore.errors import Done


class Move(NamedTuple):
    """A mailbox that is to be moved. `arrived`: all its mail was here once, and only what came since is missing.

    `due`: a sign-in moves it. After a failure the next try waits for some minutes, so that no old server bars us.
    """

    mailbox: int
    address: str
    server: str  # its URL
    user: str  # there
    arrived: bool
    due: bool


class OldServers(Protocol):
    """Asks old servers, in bounded number and time."""

    def ask(self, move: Move, password: str, done: Done[str | None]) -> None:
        """Sign in at the old server. Answer with our hash of the password, or None if it is refused there.

        Overloaded if too many ask; Throttled if it refused this password before, or too many of this mailbox;
        Unavailable if the old server does not answer in time, or not as it must.
        """

    def away(self, server: str | None) -> bool:
        """Return whether a server (None: any) gave no answer a moment ago, so that its users are told to come again."""

    def go_on(self, move: Move, password: str) -> None:
        """Move the mail in the background, or go on. Nothing happens if it is being moved, or if too many are."""
