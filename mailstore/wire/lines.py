"""Octets in, command lines out, with a limit; it knows neither commands nor who sends them."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, Literal


class Step(Enum):
    """What `LineBuffer.next_line` says when it has no line to give."""

    NEED_MORE = auto()
    OVERLONG = auto()


NEED_MORE: Final = Step.NEED_MORE
OVERLONG: Final = Step.OVERLONG


class LineBuffer:
    """Cuts a stream into lines. CRLF or a bare LF ends a line, a lone CR does not.

    A line of more than `limit` octets, its end included, is reported once as OVERLONG and dropped up to its LF:
    its tail is never a line of its own, and no more than `limit` octets of it are kept once `next_line` has seen it.
    `limit` may be changed between two lines. Whoever feeds stops while `len()` is above a bound of his own.
    """

    __slots__ = ("_buffer", "_dropping", "_scanned", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._buffer = bytearray()
        self._scanned = 0  # octets known to hold no LF, so that a line that drips in is not searched again and again
        self._dropping = False

    def __len__(self) -> int:
        """Octets that wait, in whole lines or in part of one."""
        return len(self._buffer)

    def only_line(self, data: bytes) -> bytes | None:
        """Return the line, without its end, that `data` is when nothing waits before it: the usual case, at a quarter
        of the cost. None: nothing was kept, so feed it."""
        if self._buffer or self._dropping or not data.endswith(b"\n") or data.find(b"\n") != len(data) - 1:
            return None
        if len(data) > self.limit:
            return None
        return data[:-2] if data.endswith(b"\r\n") else data[:-1]

    def feed(self, data: bytes) -> None:
        if self._dropping:
            end = data.find(b"\n")
            if end < 0:
                return
            data = data[end + 1 :]
            self._dropping = False
        self._buffer += data

    def next_line(self) -> bytes | Literal[Step.NEED_MORE, Step.OVERLONG]:
        """Return the next line without its end, NEED_MORE, or OVERLONG once for a line above the limit."""
        buffer = self._buffer
        end = buffer.find(b"\n", self._scanned) + 1
        if not end:
            return self._unfinished()
        self._scanned = 0
        if end > self.limit:
            del buffer[:end]
            return OVERLONG
        line = bytes(buffer[: end - 1])
        del buffer[:end]
        return line[:-1] if line.endswith(b"\r") else line

    def starts_with(self, octets: bytes) -> bool:
        """Whether what waits begins with these octets; for telling another protocol from a slow line."""
        return self._buffer.startswith(octets)

    def take(self) -> bytes:
        """Return all that waits and keep nothing of it; for what is not lines."""
        rest = bytes(self._buffer)
        self.clear()
        return rest

    def clear(self) -> None:
        """Forget everything, also a line that was being dropped."""
        self._buffer.clear()
        self._scanned = 0
        self._dropping = False

    def _unfinished(self) -> Literal[Step.NEED_MORE, Step.OVERLONG]:
        if len(self._buffer) < self.limit:
            self._scanned = len(self._buffer)
            return NEED_MORE
        self.clear()
        self._dropping = True
        return OVERLONG
