"""The ports of POP3: a sign-in, and the maildrop that it opens."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from mailstore.ports.answer import Done
from mailstore.ports.bodies import OpenBody


class Credentials(NamedTuple):
    """What a client proved itself with. `secret` keeps its blanks; `address` is as typed."""

    address: str
    secret: str
    client: str  # the client's IP address, after PROXY
    loopback: bool  # from this machine itself, with no proxy between
    tls: str | None = None  # the version, where TLS hid the secret


@dataclass(slots=True)
class Listing:
    """The messages of one maildrop in number order; immutable and shared between sessions.

    `octets[i]` and `uidls[i]` belong to message number i + 1; `rendered` keeps octets derived from them (a
    protocol's LIST and UIDL replies), so that a repeated listing costs one write.
    """

    keys: array[int]  # primary keys, opaque to protocols
    arrivals: array[int]  # change numbers of their arrivals, ascending; as opaque
    octets: array[int]
    uidls: Sequence[str]
    rendered: dict[str, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.octets)


class Message(NamedTuple):
    """One message, ready to be sent: `prefix` + `body` is the wire form, `octets` what the client ends with."""

    octets: int
    prefix: bytes
    body: OpenBody


@dataclass(slots=True)
class SessionRecord:
    """What a POP3 session was, told once at its end (P-198). Counts are of commands answered +OK."""

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


class Handled(NamedTuple):
    """What one session did to messages, by their numbers."""

    fetched: Sequence[int]  # sent whole by RETR, in that order; a number stands there as often as it was sent
    confirmed: int  # so many of them, from the first, does the client have
    removed: Sequence[int]  # what its QUIT removed


class Maildrop(Protocol):
    """What one POP3 session sees: the state of a mailbox at one change number, steady until the session ends."""

    address: str
    device: str
    messages: int
    octets: int
    expire_days: int | None  # RFC 2449 §6.7; None is NEVER

    def listing(self, done: Done[Listing]) -> None:
        """Load the list; exactly `messages` long, and its octets sum to `octets`."""

    def message(self, number: int, done: Done[Message]) -> None:
        """Open message `number` (1..n); the caller closes the body. BodyLost, Unavailable before any octet."""

    def remove(self, numbers: Sequence[int], done: Done[int]) -> None:
        """The UPDATE state: all or none, durable when `done` is called. Already removed ones count as removed.

        BadCredentials when the device was revoked or barred since it signed in: nothing was done.
        """

    def watch(self, barred: Callable[[], None]) -> None:
        """Call `barred` within a second of when this device may use POP no more. Asked once, before anything else."""

    def ended(self, record: SessionRecord, handled: Handled) -> None:
        """The session is over: `barred` is not called any more, and what was done is kept. Never raises or waits."""


class SignIn(Protocol):
    """A sign-in under way. Harmless once it is answered."""

    def abandon(self) -> None:
        """The client is gone: a password check that has not begun is not made, and `done` gets Abandoned."""

    def give_way(self) -> None:
        """The client will send no more, and may be gone: a check that has not begun lets all others go first."""


class Accounts(Protocol):
    """Sign-in."""

    def sign_in(self, credentials: Credentials, done: Done[Maildrop]) -> SignIn:
        """One reply and one cost for unknown user, wrong password and suspended account (BadCredentials).

        Also PopSwitchedOff, MainPasswordBarred (only after the right password), Throttled, Overloaded, Abandoned,
        Unavailable. After failures the check and the answer may be delayed on purpose; it holds nothing meanwhile.
        """

    def site_expire_days(self) -> tuple[int | None, bool] | None:
        """The smallest expiry of any mailbox (None: never), and whether mailboxes differ. Never waits; None while
        nothing is known."""
