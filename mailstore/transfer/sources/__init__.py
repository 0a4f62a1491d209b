"""Read the mail of other programs, Maildir and mbox, message by message as one kind of value. Stores nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

IDENTITY_OCTETS = 16
HEADER_OCTETS = 256 * 1024  # more is no header, so reading stops there


@dataclass(frozen=True, slots=True)
class SourceMessage:
    """One message of a source.

    `identity` is the same each time the source is read, so a second run recognises it. `uidl` is the one in the source,
    not checked. `read` opens the message and yields its data with the line ends of the source. It raises OSError, and
    NotMail if the data does not begin like a message.
    """

    name: str
    identity: bytes
    arrived_at: datetime | None
    uidl: str | None
    read: Callable[[], Iterator[bytes]]


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
