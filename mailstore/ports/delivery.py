"""The ports of LMTP: recipients, and messages on their way in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mailstore.errors import Done, MailError


@dataclass(frozen=True, slots=True)
class Envelope:
    """The SMTP envelope of one message, and who sent it to us (for the Received header)."""

    sender: str  # reverse-path without angle brackets; "" is the null sender
    client_name: str  # what LHLO said
    client: str  # IP address, or "unix"
    encrypted: bool
    protocol: str  # "LMTP", "UTF8LMTP" (RFC 6531: SMTPUTF8 was given), or "pipe"


@dataclass(frozen=True, slots=True)
class Recipient:
    """An accepted recipient. `address` is as the MTA typed it (with +detail), `mailboxes` is where the mail goes.

    `capped` are the keys of the domains among these that have a quota of their own, which the delivery must keep. `via`
    is how the address leads there, in order: a domain that stands for another, an alias or forward, or a catch-all
    (`@domain`).
    """

    address: str
    mailboxes: tuple[int, ...]
    capped: tuple[int, ...] = ()
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """The message of one recipient is durable: the body is synced, the row is committed.

    `copies` are the mailboxes that have it, each with its UIDL there.
    """

    queue_id: str
    copies: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class MessageMarks:
    """What the MTA or the header of a message says of its way here; each is empty where neither says anything.

    `mta_id` is the queue id at our own MTA, and `origin` the server that sent it there.
    """

    message_id: str = ""
    mta_id: str = ""
    origin: str = ""


NO_MARKS = MessageMarks()


class Intake(Protocol):
    """One message on its way in. It streams to the body store with a bounded buffer.

    After an error every further call does nothing.
    """

    def write(self, wire: bytes) -> None:
        """Add octets in wire form (CRLF, dot-stuffed). It does not fail: `commit` reports an error."""

    def marks(self) -> MessageMarks:
        """Return what the header says of its way here, as far as it was written. Also after an error."""

    def commit(
        self,
        recipients: Sequence[Recipient],
        octets: int,
        done: Callable[[int, Delivered | MailError], None],
    ) -> None:
        """Make the message durable for each recipient; `octets` is the unstuffed length of what was written.

        `done(index, answer)` is called once for each recipient, in any order.
        """

    def abort(self) -> None:
        """Discard the message."""


class Delivery(Protocol):
    """What an MTA may ask."""

    def recipient(self, address: str, octets: int | None, done: Done[Recipient]) -> None:
        """Decide at RCPT; `octets` is what MAIL SIZE= announced, None if nothing.

        UnknownRecipient, RecipientDisabled, QuotaRejected, QuotaDeferred, AliasOutside, Unavailable.
        """

    def begin(self, envelope: Envelope) -> Intake:
        """Begin a message. It does not fail: `commit` reports that the body store takes nothing."""
