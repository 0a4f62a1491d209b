"""Convert line ends and dots to wire form and back. Wire form ends lines in CRLF and doubles a dot that begins one."""

from __future__ import annotations


def is_canonical(content: bytes) -> bool:
    """Say whether every line end in `content` is CRLF: no bare CR, no bare LF. The cost does not depend on lines."""
    return content.replace(b"\r", b"").replace(b"\n", b"\r\n") == content


def canonical(content: bytes) -> bytes:
    """Return `content` with CRLF for each CRLF, bare CR and bare LF."""
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def stuff(lines: bytes) -> bytes:
    """Double each dot after a CRLF; so a dot at the very start stays single."""
    # RFC 1939 §3, RFC 5321 §4.5.2
    return lines.replace(b"\r\n.", b"\r\n..")


def unstuff(lines: bytes) -> bytes:
    """Drop one dot after each CRLF."""
    return lines.replace(b"\r\n.", b"\r\n")


class Lookahead:
    """Keeps back the end of a chunk while the next octets decide its meaning.

    `undecided` are such ends, the longest first. The stream begins as if a CRLF came before it, so its first line is
    like any other line; `release` drops that CRLF again.
    """

    __slots__ = ("_held", "_undecided", "untouched")

    def __init__(self, *undecided: bytes) -> None:
        self._undecided = undecided
        self._held = b"\r\n"
        self.untouched = True  # until the first octet is released

    def join(self, chunk: bytes) -> bytes:
        """Return what was kept back, followed by the chunk; a copy only where something was kept."""
        data = self._held + chunk
        self._held = b""
        return data

    def decided(self, data: bytes) -> bytes:
        """Return `data` without an undecided end, which is kept for the next `join`."""
        for end in self._undecided:
            if data.endswith(end):
                self._held = end
                return data[: -len(end)]
        return data

    def release(self, ready: bytes) -> bytes:
        """Return `ready` without the CRLF that was put before the first line."""
        if self.untouched and ready:
            self.untouched = False
            return ready[2:]
        return ready


class Unstuffer:
    """Converts wire form back to the message, in chunks of any size; for files and exports."""

    def __init__(self) -> None:
        self._lookahead = Lookahead(b"\r\n", b"\r")

    def feed(self, wire: bytes) -> bytes:
        """Return the octets that are certain so far."""
        data = self._lookahead.join(wire)
        return self._lookahead.release(unstuff(self._lookahead.decided(data)))

    def finish(self) -> bytes:
        """Return what was kept back."""
        return self._lookahead.release(self._lookahead.join(b""))
