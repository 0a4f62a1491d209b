"""Put replies into the order of their questions, whatever the order of the answers. It writes nothing itself."""

from __future__ import annotations

from collections import deque


class ReplyOrder:
    """One group of questions. Each reply leaves as soon as all replies before it have left."""

    __slots__ = ("_first", "_replies")

    def __init__(self) -> None:
        self._first = 0  # the place of the first question without a reply
        self._replies: deque[bytes | None] = deque()

    def __len__(self) -> int:
        """Return how many replies have not left."""
        return len(self._replies)

    def ask(self) -> int:
        """Return the place of the next question, from 0."""
        self._replies.append(None)
        return self._first + len(self._replies) - 1

    def answer(self, place: int, reply: bytes) -> bytes:
        """Keep the reply to one question, and return all replies that may leave now, joined."""
        self._replies[place - self._first] = reply
        ready = []
        while self._replies and self._replies[0] is not None:
            ready.append(self._replies[0])
            self._replies.popleft()
            self._first += 1
        return b"".join(ready)
