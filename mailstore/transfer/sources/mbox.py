"""Read an mbox: one file whose messages begin with From_ lines. All are read as mboxrd, which mboxo is close to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from mailstore.messages.message_file import CHUNK_OCTETS
from mailstore.transfer.sources import IDENTITY_OCTETS, SourceMessage, contents, header_value

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# `From <sender> Sat Jan  3 01:05:34 1996`, perhaps with an offset before or after the year. The date must be there, so
# that a sentence that begins with From does not match.
_FROM = re.compile(
    rb"From .*?([A-Z][a-z]{2}) +(\d{1,2}) (\d{2}):(\d{2})(?::(\d{2}))? (?:([+-]\d{4}|[A-Za-z]+) )?(\d{4})\b"
    rb"(?: ([+-]\d{4}))?.*\r?\n?"
)
_LIKE_FROM = re.compile(rb">*From ")
_QUOTED_FROM = re.compile(rb">+From ")  # mboxrd: each such line has got one more >
# Fields that mail programs change in the header of a message that stays the same.
_VOLATILE = re.compile(rb"(?:Status|X-Status|X-Keywords|X-UID|X-IMAP|X-IMAPbase|Content-Length):", re.IGNORECASE)
# UW-IMAP and similar servers keep the data of a folder in such a message. It was never sent to anybody.
_INTERNAL = b"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA"


class NotAnMbox(ValueError):
    """The file does not begin with a From_ line. `unreadable` says what it is, if its first octets show that."""

    def __init__(self, path: Path, begin: bytes) -> None:
        super().__init__(f"{path} is not an mbox: it does not begin with a From_ line")
        self.unreadable = contents.unreadable(begin)


@dataclass(slots=True)
class _Span:
    """The place of a message in the file, and what its lines say."""

    from_line: bytes
    start: int
    end: int
    digest: blake2b
    uidl: str | None = None
    internal: bool = False
    in_header: bool = True

    def add(self, line: bytes) -> None:
        """Process the next line, or a piece of a long one."""
        if self.in_header:
            self.in_header = bool(line.strip())
            self.internal = self.internal or line.startswith(_INTERNAL)
            self.uidl = self.uidl or header_value([line], b"x-uidl")
            if _VOLATILE.match(line):
                return
        self.digest.update(line)


def messages(path: Path) -> Iterator[SourceMessage]:
    """Yield the messages of the file in their order. Raises NotAnMbox and OSError."""
    with path.open("rb") as stream:
        for number, span in enumerate(_spans(stream, path), start=1):
            if not span.internal:
                yield _message(path, number, span)


def quoted(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a message with CRLF lines in the form of an mbox: with LF, and with lines like From_ lines quoted."""
    line_begins = True
    for line in _lines(chunks):
        sign = b">" if line_begins and _LIKE_FROM.match(line) else b""
        yield sign + line.replace(b"\r\n", b"\n")
        line_begins = line.endswith(b"\n")


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield whole lines. A line that is longer than a chunk comes in pieces, but no CRLF is split."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in whole)
        if len(rest) > CHUNK_OCTETS and not rest.endswith(b"\r"):
            yield rest
            rest = b""
    if rest:
        yield rest


def _spans(stream: BinaryIO, path: Path) -> Iterator[_Span]:
    """Read the file once, line by line. Yield the span of each message when the next one begins."""
    span: _Span | None = None
    offset, blank, line_begins = 0, True, True
    blank_octets = 0
    for line in iter(lambda: stream.readline(CHUNK_OCTETS), b""):
        if line_begins and blank and _FROM.fullmatch(line):
            if span is not None:
                span.end = offset - blank_octets
                yield span
            span = _Span(line, offset + len(line), 0, blake2b(line, digest_size=IDENTITY_OCTETS))
        elif span is None:
            raise NotAnMbox(path, line)
        else:
            span.add(line)
        blank = line_begins and line in (b"\n", b"\r\n")
        blank_octets = len(line) if blank else 0
        line_begins = line.endswith(b"\n")
        offset += len(line)
    if span is not None:
        span.end = max(span.start, offset - blank_octets)
        yield span


def _message(path: Path, number: int, span: _Span) -> SourceMessage:
    return SourceMessage(
        name=f"message {number}",
        identity=span.digest.digest(),
        arrived_at=_date(span.from_line),
        uidl=span.uidl,
        read=lambda: _read(path, span.start, span.end),
    )


def _date(from_line: bytes) -> datetime | None:
    """Return the date of the From_ line. Without an offset it is in UTC."""
    match = _FROM.fullmatch(from_line)
    if match is None:
        return None
    month, day, hour, minute, second, zone, year, late_zone = ((part or b"").decode() for part in match.groups())
    try:
        naive = datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second or 0))  # noqa: DTZ001 - the offset follows
    except ValueError:
        return None
    return (naive - _offset(zone or late_zone)).replace(tzinfo=UTC)


def _offset(zone: str) -> timedelta:
    if not zone.startswith(("+", "-")):
        return timedelta()
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    return timedelta(minutes=-minutes if zone.startswith("-") else minutes)


def _read(path: Path, start: int, end: int) -> Iterator[bytes]:
    """Yield the lines of a message, with one > less on each quoted From_ line."""
    with path.open("rb") as stream:
        stream.seek(start)
        line_begins, left = True, end - start
        while left > 0 and (line := stream.readline(min(left, CHUNK_OCTETS))):
            yield line[1:] if line_begins and _QUOTED_FROM.match(line) else line
            line_begins = line.endswith(b"\n")
            left -= len(line)
