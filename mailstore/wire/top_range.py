"""Find where `TOP n k` ends in a message of prefix and body in wire form. It reads and sends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailstore.ports import OpenBody

TURN_OCTETS = 1024 * 1024  # searched in one turn, about a millisecond; then others have theirs
CHUNK_OCTETS = 64 * 1024  # one read: the header of nearly every message, and little memory for the rest


def top(prefix: bytes, body: OpenBody, lines: int) -> Iterator[tuple[bytes, int] | None]:
    """Search for what TOP sends. Yield None after each TURN_OCTETS, then the part of the prefix and the body's octets.

    TOP sends the header, the blank line and the first `lines` lines of the body. A message without a blank line is all
    header, and goes whole, as RETR sends it. Raises what `OpenBody.read` raises.
    """
    for end in _end(prefix, body, lines):
        yield None if end is None else (prefix[:end], max(0, end - len(prefix)))


def _end(prefix: bytes, body: OpenBody, lines: int) -> Iterator[int | None]:
    whole = len(prefix) + body.wire_octets
    # A line takes at least two octets, so a larger number asks for the whole message, and nothing has to be read.
    if lines >= whole // 2:
        yield whole
        return
    in_header = True
    tail = b"\r\n"  # as if a line had ended before the first octet: an empty first line is the blank line
    offset = 0
    for piece in _pieces(prefix, body):
        start = 0
        if in_header:
            window = tail + piece
            blank = window.find(b"\r\n\r\n")
            tail = window[-3:]
            start = blank + 4 - (len(window) - len(piece))
            in_header = blank < 0
        if not in_header:
            rest = piece[start:] if start else piece
            found = rest.count(b"\n")
            if found >= lines:
                yield offset + start + _end_of_line(rest, lines)
                return
            lines -= found
        if (offset + len(piece)) // TURN_OCTETS > offset // TURN_OCTETS:
            yield None
        offset += len(piece)
    yield whole


def _pieces(prefix: bytes, body: OpenBody) -> Iterator[bytes]:
    yield prefix
    for offset in range(0, body.wire_octets, CHUNK_OCTETS):
        yield body.read(offset, CHUNK_OCTETS)


def _end_of_line(wire: bytes, lines: int) -> int:
    """Return how many octets the first `lines` lines take; there are so many."""
    return len(wire) - len(wire.split(b"\n", lines)[-1])
