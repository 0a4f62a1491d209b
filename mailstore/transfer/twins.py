"""Find the twins of messages: the same ones that came from another place, such as over POP3 after a Maildir.

Each kind of source knows a message by something else (`ImportedSource.source`), and an old server may have another
name today. So only the content tells. UIDLs do not: many servers count from 1, so mailboxes of two servers share them.
"""

from __future__ import annotations

from django.db.models import Count, QuerySet

from mailstore.models import ImportedSource


class Twins:
    """Knows the contents that were imported into a mailbox from other places than `place`.

    Each message has one twin at most. If a content came from one place twice, and this one has it three times, then the
    third has none and is imported.
    """

    def __init__(self, mailbox: int, place: bytes) -> None:
        rows = ImportedSource.objects.filter(mailbox=mailbox)
        self._elsewhere = _most(rows.exclude(place_digest=place))
        self._here = _most(rows.filter(place_digest=place)) if self._elsewhere else {}

    def pair(self, content: bytes) -> bool:
        """Return whether the next message with this content has a twin, and count it."""
        most = self._elsewhere.get(content, 0)
        if most:
            self._here[content] = self._here.get(content, 0) + 1
        return bool(most) and self._here[content] <= most


def _most(rows: QuerySet[ImportedSource]) -> dict[bytes, int]:
    """Return how often each content came, from the place where it was most often."""
    counted = rows.exclude(content_digest=None).values("content_digest", "place_digest").annotate(count=Count("pk"))
    found: dict[bytes, int] = {}
    for content, count in counted.values_list("content_digest", "count").iterator():
        data = bytes(content or b"")
        found[data] = max(count, found.get(data, 0))
    return found
