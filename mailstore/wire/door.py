"""The octets of a message on their way in: whatever a sender gives becomes wire form here, once. Stores nothing.

Wire form: CRLF line ends, a dot that begins a line doubled, a CRLF at the end, no terminator. Memory is that of one
chunk. A chunk that is in wire form already leaves as it came.
"""

from __future__ import annotations

from mailstore.wire.stuffing import Lookahead, canonical, is_canonical, stuff, unstuff


class DataDoor:
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
        dot = data.find(b"\r\n.")
        # RFC 5321 §4.1.1.4
        end = data.find(b"\r\n.\r\n", dot) if dot >= 0 else -1
        if end >= 0:
            return self._wire(data[: end + 2]), data[end + 5 :]
        return self._wire(self._lookahead.decided(data)), None

    def _wire(self, lines: bytes) -> bytes:
        dots = lines.count(b"\r\n.")
        if (dots and dots != lines.count(b"\r\n..")) or not is_canonical(lines):
            lines = stuff(canonical(unstuff(lines)))
            dots = lines.count(b"\r\n.")
        wire = self._lookahead.release(lines)
        self.octets += len(wire) - dots
        return wire


class RawDoor:
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
