"""UIDLs that a mailbox has or had: no other message of it ever gets one, since no mail program would fetch it.

Of messages that are gone little is kept. What an import brought in has a digest in its ImportedSource, for ever. UIDLs
made here are unique, so only an import can bring one again; they follow time, so the last that is gone stands for all.
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256

from mailstore.models import ImportedSource, Mailbox, Message
from mailstore.policy import sortable_ids

DIGEST_OCTETS = 8  # two UIDLs of one digest only cost a message its old one
SKEW_SECONDS = 10  # by how much the clocks of the machines that make mailboxes and UIDLs may differ


def digest(uidl: str) -> bytes:
    """What is kept of a UIDL that came from elsewhere. The migration of old mail makes the same in SQL."""
    return sha256(uidl.encode()).digest()[:DIGEST_OCTETS]


def among(uidls: Collection[str], *, mailbox: int) -> set[str]:
    """Return which of these UIDLs a message of the mailbox has or had.

    Rows are asked first: what is purged meanwhile is then found by what the purge leaves.
    """
    rows = Message.objects.filter(mailbox=mailbox, uidl__in=uidls).values_list("uidl", flat=True)
    # Asked apart, since each of the two has an index of its own and the whole table has none.
    taken = {*rows.filter(removed__isnull=True), *rows.filter(removed__isnull=False)}
    return taken | _brought_in(uidls, mailbox) | _made_here(uidls, mailbox)


def _brought_in(uidls: Collection[str], mailbox: int) -> set[str]:
    by_digest = {digest(uidl): uidl for uidl in uidls}
    kept = ImportedSource.objects.filter(mailbox=mailbox, uidl_digest__in=list(by_digest))
    return {by_digest[bytes(each or b"")] for each in kept.values_list("uidl_digest", flat=True)}


def _made_here(uidls: Collection[str], mailbox: int) -> set[str]:
    """Return those that may have been made here for a message that is gone.

    They are no older than the mailbox, and no younger than the last one that is gone.
    """
    ours = {uidl for uidl in uidls if sortable_ids.is_id(uidl)}
    if not ours:
        return set()
    box = Mailbox.objects.only("spent_uidl", "created_at").filter(pk=mailbox).first()
    if box is None:  # destroyed meanwhile: nothing is placed in it any more
        return set()
    since = int((box.created_at.timestamp() - SKEW_SECONDS) * 1000)
    return {uidl for uidl in ours if uidl <= box.spent_uidl and sortable_ids.parts(uidl)[0] >= since}
