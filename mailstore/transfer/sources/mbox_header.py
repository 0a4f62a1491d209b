"""What the header of a message in an mbox says to mail programs, and the fields that are theirs, not the message's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailstore.transfer.sources import from_line
from mailstore.transfer.sources.from_line import Shape

MOZILLA_EXPUNGED = 0x0008  # nsMsgMessageFlags::Expunged
_KNOWN = re.compile(
    rb"(X-UIDL|X-UID|X-IMAPbase|X-IMAP|X-Mozilla-Status|X-Status|Content-Length)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE
)
# Fields that mail programs change in the header of a message that stays the same.
_VOLATILE = re.compile(
    rb"(?:Status|X-Status|X-Keywords|X-UID|X-IMAP|X-IMAPbase|Content-Length|X-Mozilla-[!-9;-~]*):", re.IGNORECASE
)
_MOZILLA = re.compile(rb"X-Mozilla-[!-9;-~]*[ \t]*:", re.IGNORECASE)
_QUOTED_FROM = re.compile(rb">+From ")
_UID_BASE = re.compile(r"(\d{1,10}) +(\d{1,10})\b.*")
# UW-IMAP and similar servers keep the data of a folder in such a message. It was never sent to anybody.
_INTERNAL = b"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA"
_MOST = 2**32 - 1  # RFC 3501 §2.3.1.1
_MOST_OCTETS = 2**53


@dataclass(slots=True)
class Header:
    """The fields of a message's header that are for mail programs. The first of each name counts.

    `ours`: an export of ours has written its X-UIDL before the header. Then all other fields are the message's own.
    """

    ours: bool = False
    uidl: str | None = None
    uid: int | None = None
    uid_base: tuple[int, int] | None = None  # UIDVALIDITY and the last UID, in the first message
    expunged: bool | None = None  # by X-Mozilla-Status
    marked: bool | None = None  # by X-Status
    content_octets: int | None = None
    internal: bool = False
    first: bool = True

    @property
    def deleted(self) -> bool:
        """Return whether the mail program has marked the message as deleted."""
        return bool(self.expunged or self.marked)

    def add(self, line: bytes) -> bool:
        """Process the next line. Return whether it belongs to what makes the message this one and no other."""
        if self.first:
            self.first, self.ours = False, self.ours and line[:7].lower() == b"x-uidl:"
        match = _KNOWN.match(line) if line[:1] in b"XxCc" else None
        if match is not None and (not self.ours or self.uidl is None):
            self._know(match[1].lower(), match[2].strip().decode("ascii", "replace"))
        self.internal = self.internal or (not self.ours and line.startswith(_INTERNAL))
        return _VOLATILE.match(line) is None

    def _know(self, name: bytes, value: str) -> None:
        if name == b"x-uidl":
            self.uidl = self.uidl or value
        elif name == b"x-uid":
            self.uid = self.uid or _number(value, _MOST)
        elif name in {b"x-imapbase", b"x-imap"}:
            self.uid_base = self.uid_base or _uid_base(value)
        elif name == b"x-mozilla-status":
            self.expunged = _is_expunged(value) if self.expunged is None else self.expunged
        elif name == b"x-status":
            self.marked = "D" in value if self.marked is None else self.marked
        elif self.content_octets is None:
            self.content_octets = _number(value, _MOST_OCTETS)


def without_foreign_fields(lines: Iterator[bytes], *, ours: bool) -> Iterator[bytes]:
    """Yield the lines of a header without those that an export of ours or Mozilla has added, and unquoted.

    A From_ line that was kept as a quoted first line is dropped too.
    """
    first, line_begins, dropped = True, True, False
    for line in lines:
        if line_begins and not (dropped and not first and line[:1] in b" \t"):
            before = first and _stands_before(line, ours=ours)
            dropped = before or (not ours and is_of_mozilla(line))
            first = before and not ours
        if not dropped:
            yield line[1:] if line_begins and _QUOTED_FROM.match(line) else line
        dropped = dropped and not ours
        line_begins = line.endswith(b"\n")


def is_of_mozilla(line: bytes) -> bool:
    """Return whether a line of a header is a field of Mozilla."""
    return _MOZILLA.match(line) is not None


def _stands_before(line: bytes, *, ours: bool) -> bool:
    """Return whether the first line of a header is that of our export, or a From_ line that was kept."""
    return ours or (line.startswith(b">From ") and from_line.shape(line[1:]) is not Shape.TEXT)


def _number(value: str, most: int) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 and int(value) <= most else None


def _uid_base(value: str) -> tuple[int, int] | None:
    match = _UID_BASE.fullmatch(value)
    return (int(match[1]), int(match[2])) if match and 0 < int(match[1]) <= _MOST else None


def _is_expunged(value: str) -> bool:
    try:
        return bool(int(value[:8], 16) & MOZILLA_EXPUNGED)
    except ValueError:
        return False
