"""Cut a stream of bytes into lines with a limit. It knows neither commands nor peers."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, Literal


class Step(Enum):
    """What `LineBuffer.next_line` returns when it has no line."""

    NEED_MORE = auto()
    OVERLONG = auto()


NEED_MORE: Final = Step.NEED_MORE
OVERLONG: Final = Step.OVERLONG


class LineBuffer:
    """Cuts a stream into lines. CRLF or a bare LF ends a line, a lone CR does not.

    A line of more than `limit_octets`, its end included, is reported once as OVERLONG and dropped up to its LF. Its
    tail is never a line of its own, and no more than `limit_octets` of it are kept once `next_line` has seen it. The
    caller bounds `len()`: it feeds no more while too many octets wait. `limit_octets` may change between two lines.
    """

    __slots__ = ("_buffer", "_dropping", "_scanned_octets", "limit_octets")

    def __init__(self, limit_octets: int) -> None:
        self.limit_octets = limit_octets
        self._buffer = bytearray()
        self._scanned_octets = 0  # they hold no LF, so a line that comes octet by octet is not searched again
        self._dropping = False

    def __len__(self) -> int:
        """Return how many octets wait, in whole lines or in part of one."""
        return len(self._buffer)

    def only_line(self, data: bytes) -> bytes | None:
        """Return the line without its end, if `data` is one whole line and nothing waits before it; else None.

        This is the usual case, at a quarter of the cost of `feed` and `next_line`. After None, feed `data`.
        """
        if self._buffer or self._dropping or not data.endswith(b"\n") or data.find(b"\n") != len(data) - 1:
            return None
        if len(data) > self.limit_octets:
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
        end = buffer.find(b"\n", self._scanned_octets) + 1
        if not end:
            return self._unfinished()
        self._scanned_octets = 0
        if end > self.limit_octets:
            del buffer[:end]
            return OVERLONG
        line = bytes(buffer[: end - 1])
        del buffer[:end]
        return line[:-1] if line.endswith(b"\r") else line

    def starts_with(self, data: bytes) -> bool:
        """Say whether the waiting octets begin with `data`. It tells another protocol from a slow line."""
        return self._buffer.startswith(data)

    def take(self) -> bytes:
        """Return all octets that wait and keep none of them; for content that is not lines."""
        rest = bytes(self._buffer)
        self.clear()
        return rest

    def clear(self) -> None:
        """Forget all octets, also a line that is being dropped."""
        self._buffer.clear()
        self._scanned_octets = 0
        self._dropping = False

    def _unfinished(self) -> Literal[Step.NEED_MORE, Step.OVERLONG]:
        if len(self._buffer) < self.limit_octets:
            self._scanned_octets = len(self._buffer)
            return NEED_MORE
        self.clear()
        self._dropping = True
        return OVERLONG
