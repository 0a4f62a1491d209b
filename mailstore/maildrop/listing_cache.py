"""A cache of listings that sessions share."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from sys import byteorder

from mailstore.ports import Listing

MESSAGES_KEPT = 250_000  # in all listings of a process: some 40 MB with their rendered replies


class Listings:
    """A bounded cache with the key (device, change number).

    An entry is never stale, since each change of the mailbox or of a view takes a new number. Only a database that was
    restored to an earlier day gives numbers a second time: then call `clear`.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], Listing] = OrderedDict()
        self._messages = 0

    def get(self, device: int, change: int) -> Listing | None:
        found = self._kept.get((device, change))
        if found is not None:
            self._kept.move_to_end((device, change))
        return found

    def put(self, device: int, change: int, listing: Listing) -> None:
        """Keep a listing; drop those that were not used for the longest time if there are too many."""
        if len(listing) > MESSAGES_KEPT or (device, change) in self._kept:
            return
        self._kept[device, change] = listing
        self._messages += len(listing) + 1  # an empty listing takes memory too
        while self._messages > MESSAGES_KEPT:
            _, gone = self._kept.popitem(last=False)
            self._messages -= len(gone) + 1

    def clear(self) -> None:
        self._kept.clear()
        self._messages = 0


def unpack(keys: bytes, arrivals: bytes, octet_counts: bytes, uidls: bytes) -> Listing:
    """Make a listing from the packed columns of LISTING; they are empty for an empty maildrop."""
    names = uidls.decode("ascii").split("\n") if uidls else ()
    return Listing(_integers(keys), _integers(arrivals), _integers(octet_counts), names)


def _integers(packed: bytes) -> array[int]:
    integers = array("q", packed)
    if byteorder == "little":
        integers.byteswap()
    return integers
