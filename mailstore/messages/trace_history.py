"""What belongs to an entry of the trace: earlier tries of the message, and the messages that it became."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import product
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import Count, Min, Q, QuerySet
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
SELECT given.id, sum(te.tries)::bigint, min(te.first_at)
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


@dataclass(frozen=True, slots=True)
class Kin:
    """The entries of the same message. `places` are those of the mailboxes that have it, its own first.

    `earlier` are what the log of the MTA says of it and the deferrals of its tries, the oldest first.
    """

    places: Sequence[TraceEntry]
    earlier: Sequence[TraceEntry]


def kin(entry: TraceEntry, tries: Tries | None, mailboxes: QuerySet[Mailbox]) -> Kin:
    """Return the kin of an entry whose earlier tries are known; its places are within these mailboxes."""
    rows = TraceEntry.objects.select_related("mailbox__user")
    placed = Q(pk=entry.pk) | Q(copy=True, queue_id=entry.queue_id)
    groups = [rows.filter(placed, mailbox__in=mailboxes.values("pk"))] if entry.queue_id else []
    if entry.mta_id:
        of_mta = rows.filter(mta_id=entry.mta_id, source=TraceEntry.Source.MTA, recipient=entry.recipient)
        groups.append(of_mta.exclude(pk=entry.pk).order_by("at", "pk")[:TRIES_SHOWN])
    if tries is not None:
        deferred = rows.filter(pair=entry.pair, answer=TraceEntry.Answer.DEFERRED, copy=False)
        groups.append(deferred.filter(at__gte=tries.first_at, at__lt=entry.at).order_by("at", "pk")[:TRIES_SHOWN])
    found = list(rows.none().union(*groups)) if groups else []
    places = [row for row in found if row.pk == entry.pk or (row.copy and row.queue_id == entry.queue_id)]
    earlier = [row for row in found if row not in places]
    return Kin(
        sorted(places, key=lambda row: (row.pk != entry.pk, row.pk)), sorted(earlier, key=lambda row: (row.at, row.pk))
    )


def messages(places: Iterable[tuple[int, str]]) -> QuerySet[Message]:
    """Return the messages with these UIDLs in these mailboxes, live or in recovery.

    Each place is asked for twice, since each index of the table holds only one kind.
    """
    wanted = Q(pk__in=())
    for (mailbox, uidl), is_live in product(places, (True, False)):
        wanted |= Q(removed__isnull=is_live, mailbox=mailbox, uidl=uidl)
    rows = Message.objects.filter(wanted).select_related("removed_by")
    return rows.defer("prefix", *(f"removed_by__{view}" for view in ("hidden", "skipped", "confirmed")))


def deferrals(mailbox: Mailbox, *, since: datetime) -> tuple[int, datetime | None]:
    """Count the messages that were deferred since then because this mailbox was full, each once.

    The time is that of the first; None if none was deferred.
    """
    rows = TraceEntry.objects.filter(
        mailbox=mailbox, at__gte=since, answer=TraceEntry.Answer.DEFERRED, reason__in=TraceEntry.FULL
    )
    messages = rows.values("pair").annotate(first_at=Min("at")).order_by("first_at")[:DEFERRALS_MOST]
    found = messages.aggregate(count=Count("*"), first=Min("first_at"))
    return found["count"], found["first"]
