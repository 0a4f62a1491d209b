"""What one session sees of its maildrop, less what it has marked; it sends nothing and removes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailstore.ports import Listing, Maildrop


class Marks:
    """The messages a client has marked with DELE. Numbers run from 1 and never change (RFC 1939 §4)."""

    __slots__ = ("_maildrop", "_octets", "numbers")

    def __init__(self, maildrop: Maildrop) -> None:
        self._maildrop = maildrop
        self._octets = 0
        self.numbers: set[int] = set()

    @property
    def messages_left(self) -> int:
        return self._maildrop.messages - len(self.numbers)

    @property
    def octets_left(self) -> int:
        return self._maildrop.octets - self._octets

    def mark(self, number: int, listing: Listing) -> None:
        self.numbers.add(number)
        self._octets += listing.octets[number - 1]

    def unmark_all(self) -> None:
        self.numbers.clear()
        self._octets = 0
