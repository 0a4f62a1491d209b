"""Digest what a message says, so that it is the same whatever the server or program that kept it has added. Pure.

An mbox has fields of its own in the header, `>` before lines of the text, and other line ends than POP3, and over POP3
a NUL may come as 0x80. So of the header only the fields of the sender count, and of the text all octets but these.
"""

from __future__ import annotations

from hashlib import blake2b

from mailstore.transfer.sources import HEADER_OCTETS
from mailstore.wire import header_field

DIGEST_OCTETS = 16  # two messages with the same one would be taken for one, also if somebody tries to make such
_CHANGED = b"> \t\r\n\0\x80"
_OF_SENDER = header_field.pattern("(message-id|date|from|to|subject)")


class ContentDigest:
    """Takes a message piece by piece."""

    def __init__(self) -> None:
        self._digest = blake2b(digest_size=DIGEST_OCTETS)
        self._header: bytearray | None = bytearray()  # None: it has ended

    def add(self, data: bytes) -> None:
        """Add the next piece, with any line ends."""
        if self._header is None:
            self._digest.update(data.translate(None, _CHANGED))
            return
        seen = max(0, len(self._header) - 2)  # an end may have begun in the piece before
        self._header += data
        end = header_field.END.search(self._header, seen)
        if end is not None or len(self._header) > HEADER_OCTETS:
            self._end_header(len(self._header) if end is None else end.end())

    def value(self) -> bytes:
        """Return the digest. No piece follows."""
        if self._header is not None:
            self._end_header(len(self._header))
        return self._digest.digest()

    def _end_header(self, octets: int) -> None:
        whole, self._header = bytes(self._header or b""), None
        for name, value in _OF_SENDER.findall(whole[:octets]):
            self._digest.update(name.lower() + b":" + value.translate(None, _CHANGED) + b"\n")
        self._digest.update(b"\n" + whole[octets:].translate(None, _CHANGED))
