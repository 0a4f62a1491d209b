"""Replies that leave in the order of their questions, whatever the order of the answers. Writes nothing itself."""

from __future__ import annotations

from collections import deque


class ReplyOrder:
    """One group of questions; each reply leaves as soon as all before it have left."""

    __slots__ = ("_first", "_replies")

    def __init__(self) -> None:
        self._first = 0  # the number of the first question without a reply
        self._replies: deque[bytes | None] = deque()

    def __len__(self) -> int:
        """Replies that are still to leave."""
        return len(self._replies)

    def ask(self) -> int:
        """Take the next number, from 0."""
        self._replies.append(None)
        return self._first + len(self._replies) - 1

    def answer(self, number: int, reply: bytes) -> bytes:
        """Return every reply that may leave now, joined."""
        self._replies[number - self._first] = reply
        ready = []
        while self._replies and self._replies[0] is not None:
            ready.append(self._replies[0])
            self._replies.popleft()
            self._first += 1
        return b"".join(ready)
