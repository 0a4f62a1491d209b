"""Find the twins of messages: the same ones that another kind of import brought, such as POP3 after a Maildir.

Each kind knows a message by something else (`ImportedSource.source`), so only the content tells. UIDLs do not: many
servers count from 1, so mailboxes of two servers share UIDLs.
"""

from __future__ import annotations

from django.db.models import Count, QuerySet

from mailstore.models import ImportedSource


class Twins:
    """Knows the contents that other kinds of import than `kind` brought into a mailbox.

    Each message has one twin at most. If one kind brought a content twice, and this one has it three times, then the
    third has none and is imported.
    """

    def __init__(self, mailbox: int, kind: str) -> None:
        rows = ImportedSource.objects.filter(mailbox=mailbox)
        self._by_others = _most(rows.exclude(kind=kind))
        self._by_this = _most(rows.filter(kind=kind)) if self._by_others else {}

    def pair(self, content: bytes) -> bool:
        """Return whether the next message with this content has a twin, and count it."""
        most = self._by_others.get(content, 0)
        if most:
            self._by_this[content] = self._by_this.get(content, 0) + 1
        return bool(most) and self._by_this[content] <= most


def _most(rows: QuerySet[ImportedSource]) -> dict[bytes, int]:
    """Return how often each content came, by the kind that brought it most often."""
    counted = rows.exclude(content_digest=None).values("content_digest", "kind").annotate(count=Count("pk"))
    found: dict[bytes, int] = {}
    for content, count in counted.values_list("content_digest", "count").iterator():
        data = bytes(content or b"")
        found[data] = max(count, found.get(data, 0))
    return found
