"""Which messages one session sent whole by RETR, and which of these the client went on after; it sends nothing."""

from __future__ import annotations

from bisect import bisect_left


class Fetched:
    """`numbers` in the order in which they were sent; the first of them are the ones the client has.

    A client has a message when it sends something after it. What a pipelining client had sent before says nothing, so
    each message stands beside how many times octets had come from the client by then.
    """

    __slots__ = ("_receipts", "_under_way", "numbers")

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._receipts: list[int] = []
        self._under_way: int | None = None

    def begin(self, number: int) -> None:
        """RETR was answered, and its octets follow."""
        self._under_way = number

    def sent(self, receipts: int) -> None:
        """Something was sent whole. Whoever sent it without `begin` was no RETR."""
        if self._under_way is not None:
            self.numbers.append(self._under_way)
            self._receipts.append(receipts)
            self._under_way = None

    def confirmed(self, receipts: int) -> int:
        """How many of `numbers`, from the first, were followed by a command that came in the receipt of that count."""
        return bisect_left(self._receipts, receipts)
