"""Compare what an old server shows with the live maildrop of a mailbox: the same UIDLs in the same order? Read only."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from mailstore.directory import mailbox_lookup
from mailstore.directory.outcome import Rejected
from mailstore.models import Message
from mailstore.transfer import old_server_text
from mailstore.transfer.sources.old_server_error import OldServerError
from mailstore.transfer.sources.pop3_client import Account, Session


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, as UIDLs. `moved` are those whose messages have to change places to have the old order."""

    there: int
    same: int
    missing: list[str]
    extra: list[str]
    moved: list[str]

    @property
    def equal(self) -> bool:
        """Return whether a mail program sees no difference."""
        return not (self.missing or self.extra or self.moved)


def run(address: str, account: Account) -> Comparison:
    """Compare the mail of the account with that of a mailbox. Rejected when one of them cannot be read."""
    mailbox = mailbox_lookup.get(address)
    rows = Message.objects.filter(mailbox=mailbox, removed__isnull=True).order_by("added")
    return compared(_there(account), list(rows.values_list("uidl", flat=True)))


def compared(there: Sequence[str], here: Sequence[str]) -> Comparison:
    """Compare two lists of UIDLs. Ours are unique; of equal ones on the old server, the first can be here."""
    places, seen = {uidl: place for place, uidl in enumerate(here)}, set[str]()
    missing: list[str] = []
    shared: list[str] = []
    for uidl in there:
        (missing if uidl not in places or uidl in seen else shared).append(uidl)
        seen.add(uidl)
    kept = _longest_rise([places[uidl] for uidl in shared])
    return Comparison(
        there=len(there),
        same=len(kept),
        missing=missing,
        extra=[uidl for uidl in here if uidl not in seen],
        moved=[uidl for uidl in shared if places[uidl] not in kept],
    )


def _there(account: Account) -> list[str]:
    try:
        session = Session(account)
        try:
            return [listed.uidl for listed in session.listing()]
        finally:
            session.quit()
    except OldServerError as error:
        raise Rejected(old_server_text.sentence(account, error)) from error


def _longest_rise(places: Sequence[int]) -> set[int]:
    """Return the longest part of a sequence that rises: what can stay where it is."""
    ends: list[int] = []  # the least end of a rise, by its length
    before: dict[int, int | None] = {}
    for place in places:
        length = bisect_left(ends, place)
        before[place] = ends[length - 1] if length else None
        ends[length : length + 1] = [place]
    kept, last = set[int](), ends[-1] if ends else None
    while last is not None:
        kept.add(last)
        last = before[last]
    return kept
