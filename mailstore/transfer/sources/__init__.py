"""Read the mail of other programs, Maildir and mbox, message by message as one kind of value. Stores nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from mailstore.transfer.sources.uidl_format import UidlFormat

IDENTITY_OCTETS = 16
HEADER_OCTETS = 256 * 1024  # more is no header, so reading stops there
MOST_OCTETS = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a source, as the user says."""

    uidl_format: UidlFormat | None = None  # of the server that showed these messages; None: its default
    uidlist: Path | None = None  # None: the list lies beside the messages
    most_octets: int = MOST_OCTETS  # a compressed message may have so many, unpacked


PLAIN = Reading()


@dataclass(frozen=True, slots=True)
class SourceMessage:
    """One message of a source. `deleted`: its mail program has marked it so, and would soon have removed it.

    `identity` is the same each time the source is read, so a second run recognises it. `uidl` is the one in the source,
    not checked. `read` opens the message and yields its data with the line ends of the source. It raises OSError,
    Damaged, and NotMail if the data does not begin like a message.
    """

    name: str
    identity: bytes
    arrived_at: datetime | None
    uidl: str | None
    read: Callable[[], Iterator[bytes]]
    deleted: bool = False
    former_identity: bytes | None = None  # what an earlier version gave it, if that was another one


def identity_of(*parts: bytes) -> bytes:
    """Return the identity of a message that these parts make unique."""
    digest = blake2b(digest_size=IDENTITY_OCTETS)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def header_value(lines: Iterable[bytes], name: bytes) -> str | None:
    """Return the value of the first field `name` (in lower case), or None. What is not ASCII is replaced."""
    left = HEADER_OCTETS
    for line in lines:
        left -= len(line)
        if not line.strip() or left < 0:  # RFC 5322 §2.1: an empty line ends the header
            return None
        field, colon, value = line.partition(b":")
        if colon and field.strip().lower() == name:
            return value.strip().decode("ascii", "replace")
    return None
