"""Keep replies until they may leave, and write them at once: a system call for each would take most of a turn."""

from __future__ import annotations

from collections.abc import Callable


class ReplyBuffer:
    """The replies of one session that have not left. Above `limit_octets`, where given, they leave by themselves."""

    __slots__ = ("_limit_octets", "_octets", "_replies", "_write")

    def __init__(self, write: Callable[[bytes], None], *, limit_octets: int | None = None) -> None:
        self._write = write
        self._limit_octets = limit_octets
        self._replies: list[bytes] = []
        self._octets = 0

    def add(self, reply: bytes) -> None:
        """Keep a reply."""
        self._replies.append(reply)
        self._octets += len(reply)
        if self._limit_octets is not None and self._octets >= self._limit_octets:
            self.release()

    def release(self) -> None:
        """Write the replies that are kept."""
        if self._replies:
            replies, self._replies, self._octets = self._replies, [], 0
            self._write(b"".join(replies))
