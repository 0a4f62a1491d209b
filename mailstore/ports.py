"""The waist: what protocols ask of the store, and what they ask of the connection that carries them.

Left of this file nothing knows Django, sockets or the clock; right of it nothing knows POP3 or LMTP.

An asynchronous port takes `done` and calls it exactly once, with a value or with a `MailError`, perhaps before the
call returns. It never raises. A session that is gone by then ignores the answer. No task, no future, no coroutine:
an answer costs one call.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from mailstore.errors import MailError, TryAgain

T = TypeVar("T")
Done = Callable[[T | MailError], None]


# --- values -----------------------------------------------------------------------------------------------------
# What is made for each sign-in or message is a NamedTuple: a frozen dataclass takes four times as long to make.


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


class OpenBody(Protocol):
    """A body at rest, opened and checked: it has the announced length and is the one that was stored."""

    wire_octets: int  # as RETR sends it: CRLF, dot-stuffed, no terminator

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` octets from `offset`, fewer only at the end. Raises BodyLost, Unavailable."""

    def descriptor(self) -> int | None:
        """A file descriptor whose octets 0..wire_octets are the body, for sendfile; None where there is none."""

    def close(self) -> None: ...


class Message(NamedTuple):
    """One message, ready to be sent: `prefix` + `body` is the wire form, `octets` what the client ends with."""

    octets: int
    prefix: bytes
    body: OpenBody


class BodyRef(NamedTuple):
    """A stored body: where it is, how long, and what proves that it is itself."""

    key: str
    wire_octets: int  # as stored, dot-stuffed
    octets: int  # unstuffed
    digest: bytes  # XXH3-128 of the wire form


class ForeignFile(NamedTuple):
    """A file or folder that the owner of the store cannot use: its name below the store's folder, why, what to do."""

    name: str
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """The SMTP envelope of one message, and who handed it over (for the Received header)."""

    sender: str  # reverse-path without angle brackets; "" is the null sender
    client_name: str  # what LHLO said
    client: str  # IP address, or "unix"
    encrypted: bool
    protocol: str  # "LMTP", "UTF8LMTP" (RFC 6531: SMTPUTF8 was given), or "pipe"


@dataclass(frozen=True, slots=True)
class Recipient:
    """An accepted recipient. `address` is as the MTA typed it (with +detail), `mailboxes` where it goes.

    `capped` are the domains of these whose own quota the delivery must keep.
    """

    address: str
    mailboxes: tuple[int, ...]
    capped: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """One recipient's message is durable: body fsynced, row committed."""

    queue_id: str


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


# --- asked by protocols -----------------------------------------------------------------------------------------


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


class Intake(Protocol):
    """One message on its way in. Streams to disk, with a bounded buffer. After an error every call is harmless."""

    def write(self, wire: bytes) -> None:
        """Add octets in wire form (CRLF, dot-stuffed). Failures are kept and told by `commit`."""

    def commit(
        self,
        recipients: Sequence[Recipient],
        octets: int,
        done: Callable[[int, Delivered | MailError], None],
    ) -> None:
        """Make it durable for each recipient; `octets` is the unstuffed length of what was written.

        `done(index, answer)` is called once per recipient, in any order.
        """

    def abort(self) -> None: ...


class Delivery(Protocol):
    """What an MTA may ask."""

    def recipient(self, address: str, octets: int | None, done: Done[Recipient]) -> None:
        """Decide at RCPT. `octets` is what MAIL SIZE= announced. UnknownRecipient, RecipientDisabled, QuotaRejected,
        QuotaDeferred, AliasOutside, Unavailable."""

    def begin(self, envelope: Envelope) -> Intake: ...


class Journal(Protocol):
    """Where sessions tell what happened. Never raises, never waits; texts from peers are escaped by it."""

    def cleartext_refused(self, client: str, command: str) -> None: ...

    def sign_in_refused(self, client: str, proxy: str | None, address: str, *, mechanism: str, cause: str) -> None:
        """A guess, or an owner's mistake. `address` is as typed; it is told only if it is one, since a password typed
        in the wrong place is a secret too."""

    def session_ended(self, record: SessionRecord) -> None: ...

    def trouble(self, error: MailError, doing: str) -> None: ...


class Peer(Protocol):
    """The connection, as a session sees it. Calls never raise; after `close` they do nothing."""

    client: str  # IP address, after PROXY; "unix" for a unix socket
    proxy: str | None  # the proxy's own address, where there is one
    loopback: bool  # this machine itself; False for whoever came by a proxy, whatever its header said
    encrypted: bool
    congested: bool  # the other side reads too slowly; the session then waits for `proceed`

    def write(self, data: bytes) -> None: ...

    def send_body(self, head: bytes, body: OpenBody, count: int, tail: bytes) -> bool:
        """Send head, the first `count` octets of the body, tail; close the body.

        True: all of it was written. False: it is under way; the session's `proceed` follows, perhaps before this
        returns, and until then the session must not write. The last octets of the body and `tail` leave in one write.
        If the body fails midway the connection is cut without `tail`, and nothing follows.
        """

    def has_turn(self, act: Callable[[], None]) -> bool:
        """Whether one more of several lines may be obeyed now.

        False: this turn is over. Others have theirs, nothing more is read, and then `act` is called, once, unless the
        connection is gone by then. A line that came alone, with nothing before it, needs no turn.
        """

    def next_turn(self, act: Callable[[], None]) -> None:
        """Call `act` when others have had their turn, also when the connection is gone by then."""

    def admit(self) -> None:
        """The client has signed in: what is kept small for strangers becomes full."""

    def start_tls(self) -> None:
        """Begin the handshake after what was written; the session's `tls_started` follows, or the end."""

    def close(self) -> None:
        """Send what was written, then end."""

    def cut(self, reason: str) -> None:
        """End at once: nothing more is sent, and the session's `ended` is called before this returns."""

    def fail(self) -> None:
        """A bug of ours, while its exception is handled: it is logged, and the connection ends at once."""


class Session(Protocol):
    """A protocol, as the listener drives it. Every call returns at once."""

    def connected(self) -> None: ...

    def receive(self, data: bytes) -> bool:
        """Take octets; returns what `wants_input` would say then."""

    def proceed(self) -> None:
        """The peer is no longer congested, or a body was sent."""

    def tls_started(self, version: str) -> None: ...

    def half_closed(self) -> None:
        """No more octets will come; what came is still answered."""

    def ended(self, reason: str, octets_in: int, octets_out: int) -> None:
        """The connection is gone; called exactly once."""

    def wants_input(self) -> bool:
        """False while a bounded buffer is full; the listener then stops reading."""

    def signed_in(self) -> bool: ...

    def updating(self) -> bool:
        """True while a durable change is being made; a shutdown waits for it."""


# --- bodies at rest ---------------------------------------------------------------------------------------------


class Draft(Protocol):
    """A body being written. Nobody can see it before `commit` returns."""

    def write(self, wire: bytes) -> None:
        """Append octets of wire form. StorageFull, Unavailable."""

    def finish(self) -> None:
        """Hand over what is still held; all of it was written. As quick as `write`. StorageFull, Unavailable."""

    def commit(self, octets: int) -> BodyRef:
        """Finish, and block until the body survives a power cut; `octets` is the unstuffed length. StorageFull,
        Unavailable."""

    def abort(self) -> None:
        """Forget it; nothing stays behind. Harmless after commit."""


class BodyStore(Protocol):
    """Bodies at rest. Blocking; whoever stands on an event loop calls it where that is right (see DESIGN.md)."""

    def begin(self) -> Draft: ...

    def commit(self, finished: Sequence[tuple[Any, int]]) -> Sequence[BodyRef | TryAgain]:
        """Block until these finished drafts, each with its unstuffed length, survive a power cut, for less than one by
        one costs. One outcome each, in order, whatever becomes of the others; each is to be aborted afterwards."""

    def open(self, ref: BodyRef) -> OpenBody:
        """BodyLost when missing, short or another one; BodyUnreadable; Unavailable when the store is away."""

    def verify(self, ref: BodyRef) -> None:
        """Read it whole and compare the digest. BodyLost, BodyUnreadable, Unavailable.

        It leaves others' place in the page cache.
        """

    def examine(self, name: str) -> tuple[BodyRef, float]:
        """Read a body of which no row is known: what it is, by its own trailer, and the Unix time of its arrival.

        BodyLost where it is not whole, BodyUnreadable, Unavailable.
        """

    def remove(self, key: str) -> None:
        """Destroy; a missing one is fine."""

    def keys(self) -> Iterator[str]:
        """Every body in the store, folder by folder, sorted within each; a folder that cannot be listed has none."""

    def litter(self, older_than_seconds: float) -> Iterator[str]:
        """Unfinished drafts nobody owns any more; `remove` takes these names too."""

    def set_aside(self, keys: Sequence[str]) -> set[str]:
        """Move bodies into the quarantine, durably; returns which: what is no file stays where it is."""

    def quarantined(self, older_than_days: float = 0) -> Iterator[str]:
        """Names of what rests in the quarantine, sorted; `remove` and `examine` take these names too."""

    def bring_back(self, name: str) -> str:
        """Move a body from the quarantine to its place, durably; returns its key."""

    def foreign(self) -> Iterator[tuple[int, list[ForeignFile]]]:
        """For each folder how many names it has, and what in it the owner of the store cannot use."""

    def mend(self, file: ForeignFile) -> bool:
        """Give it to the owner of the store; False where this process may not."""

    def store_id(self) -> str | None:
        """What ties the store to its database; None where nothing has yet."""

    def set_store_id(self, store_id: str) -> None:
        """Write it down, durably."""

    def probe(self) -> None:
        """Raise Unavailable or StorageFull when the store cannot take a body now (for /readyz)."""
