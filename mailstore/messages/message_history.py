"""The history of messages, for pages: which devices have a message, and what sessions did with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from mailstore.models import EarlierStay, Message
from mailstore.sql.device_coverage import has, waits

SESSIONS_MOST = 200  # of one message; a device that fetches it again and again says little new
# The state of live messages on each device: it has one, one waits for it, or its start left one out.
_HOLDERS = f"""
SELECT m.id, d.name, d.main, {has()}, {waits()}
  FROM mailstore_message m JOIN mailstore_device d ON d.mailbox_id = m.mailbox_id AND d.revoked_at IS NULL
 WHERE m.id = ANY(%(messages)s) AND m.removed IS NULL AND NOT (d.main AND d.last_sign_in_at IS NULL)
 ORDER BY d.main, d.name
"""
# The sessions that fetched or removed a message, under any of its arrival numbers. If there are too many: those that
# removed it, the first of each device, then the newest.
_SESSION_EVENTS = f"""
SELECT given.id, done.*
  FROM unnest(%(messages)s::bigint[], %(mailboxes)s::bigint[]) AS given (id, mailbox_id)
 CROSS JOIN LATERAL (
       SELECT s.started_at, s.ended_at, d.name, coalesce(d.main, false), did.fetched, did.deleted
         FROM mailstore_diarysession s
         LEFT JOIN mailstore_device d ON d.id = s.device_id
        CROSS JOIN LATERAL (
              SELECT bool_or(s.fetched @> number) AS fetched, bool_or(s.deleted @> number) AS deleted
                FROM unnest(%(arrived)s::bigint[], %(arrivals)s::bigint[]) AS arrival (id, number)
               WHERE arrival.id = given.id) AS did
        WHERE s.mailbox_id = given.mailbox_id AND (did.fetched OR did.deleted)
        ORDER BY did.deleted DESC, row_number() OVER (PARTITION BY s.device_id ORDER BY s.started_at) = 1 DESC,
                 s.started_at DESC
        LIMIT {SESSIONS_MOST}) AS done
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """The state of one message on one device. Neither `has` nor `waits`: the start of the device left it out."""

    name: str
    main: bool
    has: bool
    waits: bool


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """What a session did with the message: it fetched or deleted it, or both. `device` is None if its row is gone."""

    at: datetime
    device: str | None
    main: bool
    fetched: bool
    deleted: bool


def holders(messages: Sequence[int]) -> dict[int, list[Holder]]:
    """Return the state of live messages on each device that is in use, by the primary keys of the messages."""
    found: dict[int, list[Holder]] = {key: [] for key in messages}
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, {"messages": list(messages)})
        for key, name, main, has, waits in cursor.fetchall():
            found[key].append(Holder(name, main, has, waits))
    return found


@dataclass(frozen=True, slots=True)
class Removal:
    """The message left the live maildrop. The row of the stay that ended says why."""

    at: datetime
    stay: Message | EarlierStay


@dataclass(frozen=True, slots=True)
class Return:
    """The message came into the live maildrop, but not by its arrival: it was restored, or else imported."""

    at: datetime
    restored: bool


Event = SessionEvent | Removal | Return


def events(messages: Sequence[Message]) -> dict[int, list[Event]]:
    """Return what happened to each message since its arrival, over all its stays, in order, by its primary key.

    A session stands at the time when it began, so it precedes the removals that it made.
    """
    stays = _earlier_stays(messages)
    dated = _session_events(messages, stays)
    for message in messages:
        dated[message.pk] += ((move.at, move) for move in _moves(message, stays[message.pk]))
    return {key: [event for _at, event in sorted(each, key=lambda one: one[0])] for key, each in dated.items()}


def _earlier_stays(messages: Sequence[Message]) -> dict[int, list[EarlierStay]]:
    found: dict[int, list[EarlierStay]] = {message.pk: [] for message in messages}
    stays = EarlierStay.objects.filter(message__in=found).select_related("removed_by").order_by("added")
    for stay in stays.defer(*(f"removed_by__{view}" for view in ("hidden", "skipped", "confirmed"))):
        found[stay.message_id].append(stay)
    return found


def _moves(message: Message, earlier: Sequence[EarlierStay]) -> Iterator[Removal | Return]:
    if message.aged_from is not None and not earlier:
        yield Return(message.aged_from, restored=False)
    for stay in earlier:
        yield Removal(stay.removed_at, stay)
        yield Return(stay.restored_at, restored=True)
    if message.removed_at is not None:
        yield Removal(message.removed_at, message)


def _session_events(
    messages: Sequence[Message], stays: Mapping[int, Sequence[EarlierStay]]
) -> dict[int, list[tuple[datetime, Event]]]:
    """Return what sessions of the diary did with each message, with the time when the session began."""
    found: dict[int, list[tuple[datetime, Event]]] = {message.pk: [] for message in messages}
    arrivals = [(each.pk, number) for each in messages for number in (*(s.added for s in stays[each.pk]), each.added)]
    given = {
        "messages": list(found),
        "mailboxes": [message.mailbox_id for message in messages],
        "arrived": [key for key, _number in arrivals],
        "arrivals": [number for _key, number in arrivals],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SESSION_EVENTS, given)
        for key, began_at, *event in cursor.fetchall():
            found[key].append((began_at, SessionEvent(*event)))
    return found
