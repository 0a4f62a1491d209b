"""Mail as other programs keep it: Maildir and mbox, read in pieces as one kind of value. Stores nothing here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

IDENTITY_OCTETS = 16
HEADER_OCTETS = 256 * 1024  # what is longer is no header; reading stops there


@dataclass(frozen=True, slots=True)
class Found:
    """One message of a source.

    `identity` is the same each time the source is read, so that a second run knows it again. `uidl` is what clients
    know it by, as the source has it, not checked. `read` opens it and yields its octets in the source's line form;
    it raises OSError, and NotMail where its first octets are none of a message.
    """

    name: str
    identity: bytes
    arrived_at: datetime | None
    uidl: str | None
    read: Callable[[], Iterator[bytes]]


def identity_of(*parts: bytes) -> bytes:
    """Return the identity that a message has by these parts."""
    digest = blake2b(digest_size=IDENTITY_OCTETS)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def header_value(lines: Iterable[bytes], name: bytes) -> str | None:
    """Return the value of the first field `name` (lower case), in ASCII with what is not replaced; None without."""
    left = HEADER_OCTETS
    for line in lines:
        left -= len(line)
        if not line.strip() or left < 0:  # RFC 5322 §2.1: an empty line ends the header
            return None
        field, colon, value = line.partition(b":")
        if colon and field.strip().lower() == name:
            return value.strip().decode("ascii", "replace")
    return None
