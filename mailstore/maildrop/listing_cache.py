"""Listings kept for sessions to share, keyed by view and change number: stale only after a restore."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from sys import byteorder

from mailstore.ports import Listing

MESSAGES_KEPT = 250_000  # over all listings of a process: some 40 MB with their rendered replies


class Listings:
    """A bounded cache. The key is (device, change): any change of the mailbox or of a view takes a new number. Only a
    database restored to an earlier day takes numbers again: then call `clear`."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], Listing] = OrderedDict()
        self._messages = 0

    def get(self, device: int, change: int) -> Listing | None:
        found = self._kept.get((device, change))
        if found is not None:
            self._kept.move_to_end((device, change))
        return found

    def put(self, device: int, change: int, listing: Listing) -> None:
        if len(listing) > MESSAGES_KEPT or (device, change) in self._kept:
            return
        self._kept[device, change] = listing
        self._messages += len(listing) + 1  # an empty one is not free either
        while self._messages > MESSAGES_KEPT:
            _, gone = self._kept.popitem(last=False)
            self._messages -= len(gone) + 1

    def clear(self) -> None:
        self._kept.clear()
        self._messages = 0


def unpack(keys: bytes, arrivals: bytes, octets: bytes, uidls: bytes) -> Listing:
    """Make a listing of the packed columns of `statements.LISTING`; empty ones are an empty maildrop."""
    named = uidls.decode("ascii").split("\n") if uidls else ()
    return Listing(_numbers(keys), _numbers(arrivals), _numbers(octets), named)


def _numbers(packed: bytes) -> array[int]:
    numbers = array("q", packed)
    if byteorder == "little":
        numbers.byteswap()
    return numbers
