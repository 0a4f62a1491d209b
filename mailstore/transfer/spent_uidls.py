"""Find the UIDLs that a mailbox has or had. No other message may have one, since no mail program would fetch it.

Little is kept of messages that are gone. Imported ones leave a digest of the UIDL in their ImportedSource, for ever.
UIDLs that were made here are unique, so only an import can bring one back. They follow time, so the last one that is
gone is enough to know them.
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256

from mailstore.models import ImportedSource, Mailbox, Message
from mailstore.policy import sortable_ids

UIDL_CHARACTERS = 70  # RFC 1939 §7: 1 to 70, of 0x21 to 0x7E
DIGEST_OCTETS = 8  # if two UIDLs have the same digest, a message only loses its old one
SKEW_SECONDS = 10  # difference between the clocks of the machines that make mailboxes and UIDLs


def is_uidl(text: str) -> bool:
    """Return whether a text is a valid UIDL."""
    return 0 < len(text) <= UIDL_CHARACTERS and all("!" <= character <= "~" for character in text)


def digest(uidl: str) -> bytes:
    """Return what is kept of an imported UIDL. The migration of old mail computes the same in SQL."""
    return sha256(uidl.encode()).digest()[:DIGEST_OCTETS]


def among(uidls: Collection[str], *, mailbox: int) -> set[str]:
    """Return those of these UIDLs that a message of the mailbox has or had. UIDLs that are not valid are left out.

    Rows are read first. If one is purged after that, its UIDL is found in what the purge leaves.
    """
    uidls = [uidl for uidl in uidls if is_uidl(uidl)]
    rows = Message.objects.filter(mailbox=mailbox, uidl__in=uidls).values_list("uidl", flat=True)
    # Two queries, since live and removed rows have one index each, and the whole table has none.
    taken = {*rows.filter(removed__isnull=True), *rows.filter(removed__isnull=False)}
    return taken | _imported(uidls, mailbox) | _made_here(uidls, mailbox)


def _imported(uidls: Collection[str], mailbox: int) -> set[str]:
    by_digest = {digest(uidl): uidl for uidl in uidls}
    kept = ImportedSource.objects.filter(mailbox=mailbox, uidl_digest__in=list(by_digest))
    return {by_digest[bytes(each or b"")] for each in kept.values_list("uidl_digest", flat=True)}


def _made_here(uidls: Collection[str], mailbox: int) -> set[str]:
    """Return those that were perhaps made here for a message that is gone.

    They are not older than the mailbox, and not younger than the last one that is gone.
    """
    ours = {uidl for uidl in uidls if sortable_ids.is_id(uidl)}
    if not ours:
        return set()
    box = Mailbox.objects.only("spent_uidl", "created_at").filter(pk=mailbox).first()
    if box is None:  # the mailbox was destroyed, so it gets no message
        return set()
    since = int((box.created_at.timestamp() - SKEW_SECONDS) * 1000)
    return {uidl for uidl in ours if uidl <= box.spent_uidl and sortable_ids.parts(uidl)[0] >= since}
