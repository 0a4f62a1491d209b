"""The ports of POP3: the sign-in, and the maildrop that it opens.

Values of each sign-in or message are NamedTuples: a frozen dataclass takes four times as long to make.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from mailstore.errors import Done
from mailstore.ports.bodies import OpenBody
from mailstore.ports.journal import SessionRecord


class Credentials(NamedTuple):
    """What a client sent to sign in. `secret` keeps its blanks; `address` is as the user typed it, or completed."""

    address: str
    secret: str
    client: str  # the client's IP address, after PROXY
    loopback: bool  # the client is on this machine, with no proxy between
    tls: str | None = None  # the version; None if TLS did not protect the secret
    bare: bool = False  # the address was typed without @, and completed: the text may be a password in the wrong field


class WrongStart(StrEnum):
    """How a client begins wrongly on a port where clear text comes first, and TLS by STLS."""

    CLEAR = "cleartext"  # it would sign in without TLS
    TLS_FIRST = "tls-first"  # it begins TLS without STLS


@dataclass(slots=True)
class Listing:
    """The messages of one maildrop in number order. Sessions share it, so nobody changes it.

    `octets[i]` and `uidls[i]` belong to message number i + 1. `rendered` keeps the LIST and UIDL replies that a
    protocol made from them, so that a repeated listing costs one write.
    """

    keys: array[int]  # primary keys; protocols do not look into them
    arrivals: array[int]  # change numbers of their arrivals, ascending; protocols do not look into them
    octets: array[int]
    uidls: Sequence[str]
    rendered: dict[str, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.octets)


class Message(NamedTuple):
    """One message, ready to be sent: `prefix` + `body` is the wire form, `octets` its unstuffed length."""

    octets: int
    prefix: bytes
    body: OpenBody


class Handled(NamedTuple):
    """What one session did to messages, by message number."""

    fetched: Sequence[int]  # sent whole by RETR, in that order; a number occurs as often as it was sent
    confirmed: int  # so many of `fetched`, from the first on, have reached the client
    removed: Sequence[int]  # what its QUIT removed
    unremoved: int = 0  # how many DELE had marked, but nothing removed: it ended without QUIT, or its QUIT failed
    listed: bool = True  # it asked for the list, for its figures, or for a message


class Maildrop(Protocol):
    """What one POP3 session sees: the mailbox at one change number. It stays the same until the session ends."""

    address: str
    device: str
    messages: int
    octets: int
    expire_days: int | None  # RFC 2449 §6.7; None is NEVER

    def listing(self, done: Done[Listing]) -> None:
        """Load the list. It has exactly `messages` entries, and their octets sum to `octets`."""

    def message(self, number: int, done: Done[Message]) -> None:
        """Open message `number` (1 to n); the caller closes its body. BodyLost, BodyUnreadable, Unavailable."""

    def remove(self, numbers: Sequence[int], done: Done[int]) -> None:
        """Remove messages: the UPDATE state of RFC 1939 §6. All or none are removed, durably when `done` is called.

        `done` gets their count, including those that somebody removed before. BadCredentials if the device was revoked
        or barred since it signed in; then nothing was removed.
        """

    def watch(self, barred: Callable[[], None]) -> None:
        """Call `barred` within a second after this device may no longer use POP. Called once, before anything else."""

    def ended(self, record: SessionRecord, handled: Handled) -> None:
        """Close the maildrop and keep what the session did; `barred` is not called any more. Never raises or waits."""


class SignIn(Protocol):
    """A sign-in that is under way. Both methods do nothing once it is answered."""

    def abandon(self) -> None:
        """Give up, since the client is gone. A password check that has not begun is left out. `done` gets Abandoned."""

    def give_way(self) -> None:
        """Let all other checks go first: the client will send nothing more and may be gone."""


class Accounts(Protocol):
    """Who may sign in."""

    def sign_in(self, credentials: Credentials, done: Done[Maildrop]) -> SignIn:
        """Check credentials and open the maildrop.

        BadCredentials for an unknown user, a wrong password and a suspended account: they get one reply at one cost.
        MainPasswordBarred only after the right password. Also PopSwitchedOff, Throttled, Overloaded, Abandoned and
        Unavailable. After failures the check and the answer may be delayed on purpose. A delay holds no resource.
        """

    def note_malformed(self, address: str, client: str, tls: str | None) -> None:
        """Note for the mailbox of `address`, if there is one, that a sign-in was refused because it was unreadable.

        Never waits and never raises.
        """

    def note_wrong_start(self, start: WrongStart, client: str) -> None:
        """Note that a client cannot sign in as it is set up, whoever it is. Never waits and never raises."""

    def site_expire_days(self) -> tuple[int | None, bool] | None:
        """Return the smallest expiry of any mailbox (None: never), and whether mailboxes differ.

        Never waits; None while nothing is known.
        """
