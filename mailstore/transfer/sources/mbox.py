"""Read an mbox: one file whose messages begin with From_ lines. All are read as mboxrd, which mboxo is close to.

Nobody wrote down what a From_ line is, so each line that looks like one is judged by what stands around it: an empty
line before it, a header field behind it, or a Content-Length that ends there. Where these do not agree, the reader
decides and tells of it (`Doubt`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from mailstore.messages.message_file import CHUNK_OCTETS
from mailstore.transfer.sources import IDENTITY_OCTETS, PLAIN, Reading, SourceMessage, contents, from_line
from mailstore.transfer.sources import uidl_format as formats
from mailstore.transfer.sources.from_line import Shape
from mailstore.transfer.sources.mbox_header import Header, is_of_mozilla, without_foreign_fields
from mailstore.transfer.sources.uidlist import DEFAULT_FORMAT

EXPORT_SENDER = b"MAILER-DAEMON"  # of the From_ lines of an export of ours; an X-UIDL field follows
_LIKE_FROM = re.compile(rb">*From ")
_QUOTED = re.compile(rb"(?m)^>(>*From )")  # mboxrd: each such line has got one more >
_QUOTED_BELOW = re.compile(rb"(?<=\n)>(>*From )")
_BEGINS_MESSAGE = re.compile(rb"[!-9;-~]+[ \t]*:|>From ")
_BOM = b"\xef\xbb\xbf"
_PEEKED_OCTETS = from_line.LINE_OCTETS + 4  # with an octet and an empty line before it


class Doubt(Enum):
    """What the reader decided about a line that may or may not begin a message."""

    SPLIT = "a message begins here, though the line is unusual or stands in an unusual place"
    JOINED = "the line was read as text, though it looks like the begin of a message"


Tell = Callable[[int, Doubt], None]  # with the offset of the line


class NotAnMbox(ValueError):
    """The file does not begin with a From_ line. `unreadable` says what it is, if its first octets show that."""

    def __init__(self, path: Path, begin: bytes) -> None:
        super().__init__(f"{path} is not an mbox: it does not begin with a From_ line")
        self.unreadable = contents.unreadable(begin)


@dataclass(slots=True)
class _Span:
    """The place of a message in the file, and what its header says."""

    from_line: bytes
    start: int
    digest: blake2b
    former: blake2b | None = None  # with the fields of Mozilla, as 0.2.0 had it
    end: int = 0
    header: Header = field(default_factory=Header)
    in_header: bool = True
    certain_end: int = 0  # by its Content-Length; 0: not known
    quoted: bool = (
        True  # False in an mbox that relies on Content-Length: a From_ line of the text stands in it as it is
    )

    def add(self, line: bytes) -> bool:
        """Process the next line of the header, or a piece of a long one. Return whether the header ends with it."""
        self.in_header = bool(line.strip())
        if self.header.add(line):
            self.digest_line(line)
        elif is_of_mozilla(line):
            self.former = self.former or self.digest.copy()
            self.former.update(line)
        return not self.in_header

    def digest_line(self, line: bytes) -> None:
        """Make a line part of what the message is known by."""
        self.digest.update(line)
        if self.former is not None:
            self.former.update(line)


def messages(
    path: Path, reading: Reading = PLAIN, tell: Tell = lambda _offset, _doubt: None
) -> Iterator[SourceMessage]:
    """Yield the messages of the file in their order. `tell` hears of each line that is in doubt.

    Raises NotAnMbox and OSError, and BadFormat for a UIDL that is made of a file's name.
    """
    uids = _Uids(reading.uidl_format or DEFAULT_FORMAT)
    with path.open("rb") as stream:
        for number, span in enumerate(_spans(stream, path, tell), start=1):
            uidl = uids.uidl(span.header) or span.header.uidl
            if number > 1 or not span.header.internal:  # anybody may write that subject into a message
                yield _message(path, number, span, uidl)


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


# --- UIDs -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Uids:
    """The UIDs that a server has written into the headers. They ascend, and the first header has the last one."""

    shown: formats.UidlFormat
    base: tuple[int, int] | None = None
    first: bool = True
    last: int = 0

    def __post_init__(self) -> None:
        if self.shown.of_names:
            raise formats.BadFormat("%f, %g: in an mbox no message has a file name")

    def uidl(self, header: Header) -> str | None:
        """Return the UIDL that the server has shown for the next message. None if it has shown none."""
        if self.first:
            self.first, self.base = False, header.uid_base
        if self.base is None or header.uid is None or not self.last < header.uid <= self.base[1]:
            return None
        self.last = header.uid
        return self.shown.uidl(formats.Shown(uid=header.uid, uidvalidity=self.base[0]))


# --- where messages begin and end -----------------------------------------------------------------------------------


def _spans(stream: BinaryIO, path: Path, tell: Tell) -> Iterator[_Span]:
    """Read the file once, line by line. Yield the span of each message when the next one begins."""
    span: _Span | None = None
    offset = _begin(stream)
    line_begins = blank = True
    blank_octets = 0
    for line in iter(partial(stream.readline, CHUNK_OCTETS), b""):
        if line_begins and line.startswith(b"From ") and _parts(stream, line, offset, span, tell, blank=blank):
            if span is not None:
                span.end = span.certain_end or offset - blank_octets
                yield span
            span = _span(line, offset + len(line))
        elif span is None:
            raise NotAnMbox(path, line)
        elif span.in_header:
            if span.add(line):
                span.certain_end = _certain_end(stream, span, offset + len(line))
        else:
            span.digest_line(line)
        blank = line_begins and line in (b"\n", b"\r\n")
        blank_octets = len(line) if blank else 0
        line_begins = line.endswith(b"\n")
        offset += len(line)
    if span is not None:
        span.end = span.certain_end or max(span.start, offset - blank_octets)
        yield span


def _span(line: bytes, start: int) -> _Span:
    ours = line.startswith(b"From " + EXPORT_SENDER + b" ")
    return _Span(line, start, blake2b(line, digest_size=IDENTITY_OCTETS), header=Header(ours=ours))


def _begin(stream: BinaryIO) -> int:
    """Pass over a byte order mark and empty lines at the begin of the file. Return the offset behind them."""
    offset = len(_BOM) if stream.read(len(_BOM)) == _BOM else 0
    stream.seek(offset)
    while (line := stream.readline(CHUNK_OCTETS)) in (b"\n", b"\r\n"):
        offset += len(line)
    stream.seek(offset)
    return offset


def _parts(stream: BinaryIO, line: bytes, offset: int, span: _Span | None, tell: Tell, *, blank: bool) -> bool:
    """Return whether a message begins with this line. Tell if that is in doubt."""
    if span is not None and offset < span.certain_end:
        span.quoted = False
        return False
    shape = from_line.shape(line)
    if shape is Shape.TEXT:
        return False
    if span is not None and span.certain_end and shape is not Shape.NEAR:
        return True  # the message before ends exactly here
    parts, certain = _VERDICTS[shape, blank, _message_follows(stream)]
    if span is None:
        parts, certain = True, certain and parts
    if not certain:
        tell(offset, Doubt.SPLIT if parts else Doubt.JOINED)
    return parts


# By the shape of the line, an empty line before it, and a header behind it: does a message begin, and is that certain?
_VERDICTS = {
    (Shape.DATED, True, True): (True, True),
    (Shape.DATED, True, False): (True, False),
    (Shape.DATED, False, True): (True, False),
    (Shape.DATED, False, False): (False, False),
    (Shape.BARE, True, True): (True, True),
    (Shape.BARE, True, False): (False, False),
    (Shape.BARE, False, True): (True, False),
    (Shape.BARE, False, False): (False, False),
    (Shape.NEAR, True, True): (False, False),
    (Shape.NEAR, True, False): (False, True),
    (Shape.NEAR, False, True): (False, True),
    (Shape.NEAR, False, False): (False, True),
}


def _message_follows(stream: BinaryIO) -> bool:
    """Return whether the next line looks like that of a header."""
    place = stream.tell()
    following = stream.readline(_PEEKED_OCTETS)
    stream.seek(place)
    return _BEGINS_MESSAGE.match(following) is not None


def _certain_end(stream: BinaryIO, span: _Span, body: int) -> int:
    """Return the end of the message by its Content-Length, if a From_ line or the end of the file is there. Else 0."""
    if span.header.content_octets is None or span.header.ours:
        return 0
    place, end = stream.tell(), body + span.header.content_octets
    if end > os.fstat(stream.fileno()).st_size:  # a sender may write any number, and no system seeks as far as all
        return 0
    stream.seek(end - 1)
    around = stream.read(_PEEKED_OCTETS)
    stream.seek(place)
    behind = around[1:].removeprefix(b"\r").removeprefix(b"\n")
    at_line_begin = around[:1] == b"\n" or behind != around[1:]
    line, _newline, _rest = behind.partition(b"\n")
    if around and not behind:
        return end
    return end if at_line_begin and from_line.shape(line) in {Shape.DATED, Shape.BARE} else 0


# --- messages -------------------------------------------------------------------------------------------------------


def _message(path: Path, number: int, span: _Span, uidl: str | None) -> SourceMessage:
    return SourceMessage(
        name=f"message {number}",
        identity=span.digest.digest(),
        arrived_at=from_line.date(span.from_line),
        uidl=uidl,
        read=lambda: _read(path, span),
        deleted=span.header.deleted,
        former_identity=span.former.digest() if span.former else None,
    )


def _read(path: Path, span: _Span) -> Iterator[bytes]:
    """Yield a message without what programs have put into its header, with one > less on each quoted From_ line."""
    with path.open("rb") as stream:
        stream.seek(span.start)
        yield from without_foreign_fields(_header(stream, span.end), ours=span.header.ours)
        left, line_begins = span.end - stream.tell(), True
        while left > 0 and (data := stream.read(min(left, CHUNK_OCTETS))):
            data += stream.readline(min(left - len(data), CHUNK_OCTETS))  # so that no quoted line is cut
            left -= len(data)
            if span.quoted and b">From " in data:
                yield (_QUOTED if line_begins else _QUOTED_BELOW).sub(rb"\1", data)
            else:
                yield data
            line_begins = data.endswith(b"\n")


def _header(stream: BinaryIO, end: int) -> Iterator[bytes]:
    """Yield the lines of a header with the empty line that ends it. The stream is behind it then."""
    line_begins, left = True, end - stream.tell()
    while left > 0 and (line := stream.readline(min(left, CHUNK_OCTETS))):
        yield line
        left -= len(line)
        if line_begins and not line.strip():
            return
        line_begins = line.endswith(b"\n")
