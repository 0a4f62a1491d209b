"""Subjects and senders for the lists of owners: read from the bodies at the first use, then kept in their rows.

A delivery reads no header. If no owner ever lists a message, nobody reads its header.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing

from django.db import connection
from django.db.models import Q, QuerySet

from mailstore import bodies
from mailstore.errors import BodyLost, BodyUnreadable, Unavailable
from mailstore.messages.message_file import ref_of
from mailstore.models import Body, Message
from mailstore.models.columns import has_words
from mailstore.ports import BodyStore
from mailstore.wire.message_header import HEADER_OCTETS, MessageSummary, summary

BATCH_ROWS = 500
SEARCH_SECONDS = 2.0  # reading before a search; the page says if messages are left, and the next search reads on

# Locked rows are left for the next time, so this never waits.
_KEEP = """
UPDATE mailstore_body b SET subject = read.subject, sender = read.sender
  FROM unnest(%(bodies)s::bigint[], %(subjects)s::text[], %(senders)s::text[]) AS read (id, subject, sender)
 WHERE b.id = read.id
   AND b.id IN (SELECT id FROM mailstore_body WHERE id = ANY(%(bodies)s) FOR NO KEY UPDATE SKIP LOCKED)
"""


def fill(store: BodyStore, messages: Iterable[Message]) -> None:
    """Set subject and sender of each message's body (selected with it); read them from the store if they are unset.

    They stay None if the body store is away. Those of a lost body become empty.
    """
    unread = {message.body_id: message.body for message in messages if message.body.subject is None}
    read = list(_read(store, unread.values()))
    for body, found in read:
        body.subject, body.sender = found.subject, found.sender
    if read:
        _keep(read)


def prepare(store: BodyStore, messages: QuerySet[Message], *, now: Callable[[], float] = time.monotonic) -> int:
    """Read what a search through these messages needs, for SEARCH_SECONDS; return how many are still unread."""
    unread = messages.filter(body__subject=None).select_related("body").defer("prefix")
    deadline = now() + SEARCH_SECONDS
    while now() < deadline:
        batch = list(unread[:BATCH_ROWS])
        fill(store, batch)
        if not batch or any(message.body.subject is None for message in batch):
            break
    return unread.count()


def matching(words: str) -> Q:
    """Return a condition: each of the words is in the subject or the sender, without case and accents."""
    return has_words(words, "body__subject", "body__sender")


def _read(store: BodyStore, rows: Iterable[Body]) -> Iterable[tuple[Body, MessageSummary]]:
    for body in rows:
        try:
            with closing(bodies.open_and_wait(store, ref_of(body))) as opened:
                yield body, summary(opened.read(0, HEADER_OCTETS))
        except BodyLost:
            yield body, MessageSummary("", "")
        except (Unavailable, BodyUnreadable):
            return


def _keep(read: Sequence[tuple[Body, MessageSummary]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP,
            {
                "bodies": [body.pk for body, _found in read],
                "subjects": [found.subject for _body, found in read],
                "senders": [found.sender for _body, found in read],
            },
        )
