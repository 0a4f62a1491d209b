"""Bring an incoming message into wire form, chunk by chunk. It stores nothing.

Wire form: lines end in CRLF, a dot at the start of a line is doubled, a CRLF is at the end, and there is no terminator.
The memory is that of one chunk. A chunk that is in wire form already is not copied.
"""

from __future__ import annotations

import re

from mailstore.wire.stuffing import Lookahead, canonical, is_canonical, stuff, unstuff

_END = b"\r\n.\r\n"  # RFC 5321 §4.1.1.4
# The octet after each dot that begins a line. One search for all of them costs half as much as two.
_LINE_DOT = re.compile(rb"\r\n\.(?=(.?))", re.DOTALL)


class DataNormalizer:
    """Normalizes what follows DATA: dot-stuffed lines up to a line of one dot.

    Only CRLF ends a line. The sender did not stuff a dot after a bare LF or CR, so that dot is content. Only CRLF.CRLF
    ends the message. Otherwise two servers could see different messages in the same octets.
    """

    __slots__ = ("_lookahead", "octets")

    def __init__(self) -> None:
        self.octets = 0  # of the message so far, unstuffed
        self._lookahead = Lookahead(b"\r\n.\r", b"\r\n.", b"\r\n", b"\r", b"\n")

    def feed(self, chunk: bytes) -> tuple[bytes, bytes | None]:
        """Return the wire form to store, and the octets after the end; None while the message goes on."""
        data = self._lookahead.join(chunk)
        behind = _LINE_DOT.findall(data)
        stuffed = behind.count(b".")
        if stuffed == len(behind):
            return self._wire(self._lookahead.decided(data), stuffed), None
        # The usual end: the one dot that is not stuffed ends the message, and nothing follows.
        if stuffed == len(behind) - 1 and data.endswith(_END):
            return self._wire(data[:-3], stuffed), b""
        end = data.find(_END)
        if end >= 0:
            return self._rebuilt(data[: end + 2]), data[end + 5 :]
        return self._rebuilt(self._lookahead.decided(data)), None

    def _wire(self, lines: bytes, dots: int) -> bytes:
        return self._count(lines, dots) if is_canonical(lines) else self._rebuilt(lines)

    def _rebuilt(self, lines: bytes) -> bytes:
        lines = stuff(canonical(unstuff(lines)))
        return self._count(lines, lines.count(b"\r\n."))

    def _count(self, lines: bytes, dots: int) -> bytes:
        wire = self._lookahead.release(lines)
        self.octets += len(wire) - dots
        return wire


class RawNormalizer:
    """Normalizes what is not dot-stuffed: BDAT, a pipe, a file to import. The caller says where it ends."""

    __slots__ = ("_lookahead", "octets")

    def __init__(self) -> None:
        self.octets = 0  # of the message so far, unstuffed
        self._lookahead = Lookahead(b"\r\n", b"\r", b"\n")

    def feed(self, chunk: bytes) -> bytes:
        """Return the wire form to store."""
        lines = self._lookahead.decided(self._lookahead.join(chunk))
        if not is_canonical(lines):
            lines = canonical(lines)
        dots = lines.count(b"\r\n.")
        wire = self._lookahead.release(stuff(lines) if dots else lines)
        self.octets += len(wire) - dots
        return wire

    def finish(self) -> bytes:
        """Return the line end that is missing. Every message ends in CRLF, except an empty one."""
        if self._lookahead.untouched:
            return b""
        self.octets += 2
        return b"\r\n"
