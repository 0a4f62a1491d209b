"""The octets of a message on their way in: whatever a sender gives becomes wire form here, once. Stores nothing.

Wire form: CRLF line ends, a dot that begins a line doubled, a CRLF at the end, no terminator. Memory is that of one
chunk. A chunk that is in wire form already leaves as it came.
"""

from __future__ import annotations

import re

from mailstore.wire.stuffing import Lookahead, canonical, is_canonical, stuff, unstuff

_END = b"\r\n.\r\n"  # RFC 5321 §4.1.1.4
# The octet behind each dot that begins a line. One search for all of them costs half of finding and counting apart.
_LINE_DOT = re.compile(rb"\r\n\.(?=(.?))", re.DOTALL)


class DataNormalizer:
    """What follows DATA: dot-stuffed lines up to a line of one dot.

    Lines are what CRLF ends: a dot behind a bare LF or CR was not stuffed by the sender and is content, and only
    CRLF.CRLF ends the message, so that no two servers can see different messages in the same octets.
    """

    __slots__ = ("_lookahead", "octets")

    def __init__(self) -> None:
        self.octets = 0  # of the message so far, unstuffed
        self._lookahead = Lookahead(b"\r\n.\r", b"\r\n.", b"\r\n", b"\r", b"\n")

    def feed(self, chunk: bytes) -> tuple[bytes, bytes | None]:
        """Return wire octets to store, and what came behind the end; None while the message goes on."""
        data = self._lookahead.join(chunk)
        behind = _LINE_DOT.findall(data)
        stuffed = behind.count(b".")
        if stuffed == len(behind):
            return self._wire(self._lookahead.decided(data), stuffed), None
        # Nearly always: the one dot that is not stuffed ends the message, and nothing follows.
        if stuffed == len(behind) - 1 and data.endswith(_END):
            return self._wire(data[:-3], stuffed), b""
        end = data.find(_END)
        if end >= 0:
            return self._rewired(data[: end + 2]), data[end + 5 :]
        return self._rewired(self._lookahead.decided(data)), None

    def _wire(self, lines: bytes, dots: int) -> bytes:
        return self._counted(lines, dots) if is_canonical(lines) else self._rewired(lines)

    def _rewired(self, lines: bytes) -> bytes:
        lines = stuff(canonical(unstuff(lines)))
        return self._counted(lines, lines.count(b"\r\n."))

    def _counted(self, lines: bytes, dots: int) -> bytes:
        wire = self._lookahead.release(lines)
        self.octets += len(wire) - dots
        return wire


class RawNormalizer:
    """What is not stuffed: BDAT, a pipe, a file to import. Its end is told by whoever feeds it."""

    __slots__ = ("_lookahead", "octets")

    def __init__(self) -> None:
        self.octets = 0  # of the message so far, unstuffed
        self._lookahead = Lookahead(b"\r\n", b"\r", b"\n")

    def feed(self, chunk: bytes) -> bytes:
        """Return wire octets to store."""
        lines = self._lookahead.decided(self._lookahead.join(chunk))
        if not is_canonical(lines):
            lines = canonical(lines)
        dots = lines.count(b"\r\n.")
        wire = self._lookahead.release(stuff(lines) if dots else lines)
        self.octets += len(wire) - dots
        return wire

    def finish(self) -> bytes:
        """Return the line end that is still to come: every message but an empty one ends in CRLF."""
        if self._lookahead.untouched:
            return b""
        self.octets += 2
        return b"\r\n"
