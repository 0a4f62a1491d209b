"""What belongs to an entry of the trace: earlier tries of the message, and the messages that it became."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.lookups import Contains

from mailstore.models import Mailbox, Message, TraceEntry
from mailstore.models.columns import plain
from mailstore.policy.addresses import BadAddress, normal_domain
from mailstore.policy.plain_text import fold

SEARCH_CHARACTERS = 3  # a trigram index finds no fewer
TRIES_SHOWN = 5  # of one message; a server that tries for days does so some fifty times
TRY_DAYS = 10  # a server gives up after five days (RFC 5321 §4.5.4.1); a few go on
DEFERRALS_MOST = 1_000  # of the state line; nobody needs to know a larger number

# A delivery ends the tries of a message, so that a sender that announces no size is not said to try for ever.
_TRIES = f"""
SELECT given.id, count(*), min(te.first_at)
  FROM unnest(%(ids)s::bigint[], %(pairs)s::bigint[], %(ats)s::timestamptz[]) AS given (id, pair, at)
 CROSS JOIN LATERAL (
       SELECT max(te_done.at) AS at FROM mailstore_traceentry te_done
        WHERE te_done.pair = given.pair AND te_done.answer = 'delivered' AND te_done.at < given.at) AS done
  JOIN mailstore_traceentry te ON te.pair = given.pair AND te.answer = 'deferred' AND NOT te.copy AND te.at < given.at
   AND te.at > coalesce(done.at, given.at - interval '{TRY_DAYS} days')
 GROUP BY given.id
"""


def containing(text: str, *columns: str) -> Q:
    """Search `sender`, `recipient` or both for parts of addresses, without case and accents, by the columns' indexes.

    Each word is in any of the columns. A domain may be written in its own script. An index finds no word of fewer
    than SEARCH_CHARACTERS.
    """
    found = Q()
    for word in text.split():
        spellings = dict.fromkeys((fold(word), fold(_in_a_labels(word))))
        each = (Q(Contains(plain(column), spelling)) for column in columns for spelling in spellings)
        found &= reduce(or_, each)
    return found


def _in_a_labels(text: str) -> str:
    local_part, at, domain = text.rpartition("@")
    try:
        return f"{local_part}{at}{normal_domain(domain)}"
    except BadAddress:
        return text


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a message was deferred before this answer, and since when."""

    count: int
    first_at: datetime


NO_TRIES: dict[int, Tries] = {}


def tries(entries: Iterable[TraceEntry]) -> dict[int, Tries]:
    """Return the earlier tries of the messages of these entries, by their keys; none for a first try."""
    paired = [entry for entry in entries if entry.pair is not None]
    if not paired:
        return NO_TRIES
    given: dict[str, Any] = {
        "ids": [entry.pk for entry in paired],
        "pairs": [entry.pair for entry in paired],
        "ats": [entry.at for entry in paired],
    }
    with connection.cursor() as cursor:
        cursor.execute(_TRIES, given)
        return {key: Tries(count, first_at) for key, count, first_at in cursor.fetchall()}


def earlier(entry: TraceEntry, since: datetime) -> list[TraceEntry]:
    """Return the deferrals of this message from that time on, the oldest first, at most TRIES_SHOWN."""
    rows = TraceEntry.objects.filter(pair=entry.pair, answer=TraceEntry.Answer.DEFERRED, copy=False)
    return list(rows.filter(at__gte=since, at__lt=entry.at).order_by("at", "pk")[:TRIES_SHOWN])


def before_us(entry: TraceEntry) -> list[TraceEntry]:
    """Return what the log of the MTA says of the same message on its way here, the oldest first."""
    if not entry.mta_id:
        return []
    rows = TraceEntry.objects.filter(mta_id=entry.mta_id, source=TraceEntry.Source.MTA, recipient=entry.recipient)
    return list(rows.exclude(pk=entry.pk).order_by("at", "pk")[:TRIES_SHOWN])


def placements(entry: TraceEntry) -> list[tuple[int, str]]:
    """Return the mailboxes that the message of this entry is or was in, each with its UIDL there; its own first."""
    if not entry.queue_id:
        return []
    rows = TraceEntry.objects.filter(copy=True, queue_id=entry.queue_id, mailbox__isnull=False)
    found = dict(rows.order_by("pk").values_list("mailbox", "uidl"))
    own = {} if entry.mailbox_id is None else {entry.mailbox_id: entry.uidl}
    return list((own | found).items())


def message(mailbox: int, uidl: str) -> Message | None:
    """Return the message with this UIDL, live or in recovery; None once it is deleted for good."""
    rows = Message.objects.filter(mailbox=mailbox, uidl=uidl).select_related("body", "removed_by")
    rows = rows.defer("prefix", *(f"removed_by__{view}" for view in ("hidden", "skipped", "confirmed")))
    # Two queries, since each index of the table holds only one kind.
    return rows.filter(removed=None).first() or rows.exclude(removed=None).first()


def deferrals(mailbox: Mailbox, *, since: datetime) -> int:
    """Count the messages that were deferred since then because this mailbox was full, each once."""
    rows = TraceEntry.objects.filter(
        mailbox=mailbox, at__gte=since, answer=TraceEntry.Answer.DEFERRED, reason__in=TraceEntry.FULL
    )
    return rows.values("pair").distinct()[:DEFERRALS_MOST].count()


def deferred_lately(mailbox: Mailbox, *, now: datetime, days: int) -> tuple[int, datetime | None]:
    """Count the messages that were deferred within these days as the mailbox was full; return when first, too."""
    since = now - timedelta(days=days)
    rows = TraceEntry.objects.filter(
        mailbox=mailbox, at__gte=since, answer=TraceEntry.Answer.DEFERRED, reason__in=TraceEntry.FULL
    )
    first = rows.order_by("at").values_list("at", flat=True).first()
    return (deferrals(mailbox, since=since), first) if first else (0, None)
