"""The life of messages: which device has each, and what sessions of the diary did with one. Read for pages only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from mailstore.models import EarlierStay, Message
from mailstore.sql.device_coverage import has, waits

SESSIONS_MOST = 200  # of one message: a device that fetches it again and again says little new
# What each device makes of live messages: it has one, waits for it, or has never seen it, as its start left it out.
_HOLDERS = f"""
SELECT m.id, d.name, d.main, {has()}, {waits()}
  FROM mailstore_message m JOIN mailstore_device d ON d.mailbox_id = m.mailbox_id AND d.revoked_at IS NULL
 WHERE m.id = ANY(%(messages)s) AND m.removed IS NULL AND NOT (d.main AND d.last_sign_in_at IS NULL)
 ORDER BY d.main, d.name
"""
# The sessions that fetched or removed a message, under any of its numbers. Where they are too many: those that removed
# it, the first of each device, and of the others the newest.
_ACTS = f"""
SELECT s.started_at, s.ended_at, d.name, coalesce(d.main, false), did.fetched, did.deleted
  FROM mailstore_diarysession s
  LEFT JOIN mailstore_device d ON d.id = s.device_id
 CROSS JOIN LATERAL (
       SELECT bool_or(s.fetched @> number) AS fetched, bool_or(s.deleted @> number) AS deleted
         FROM unnest(%(numbers)s::bigint[]) AS number) AS did
 WHERE s.mailbox_id = %(mailbox)s AND (did.fetched OR did.deleted)
 ORDER BY did.deleted DESC, row_number() OVER (PARTITION BY s.device_id ORDER BY s.started_at) = 1 DESC,
          s.started_at DESC
 LIMIT {SESSIONS_MOST}
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """One device and one message. Neither `has` nor `waits`: its start left the message out."""

    name: str
    main: bool
    has: bool
    waits: bool


@dataclass(frozen=True, slots=True)
class Act:
    """What a session did with the message: "fetched", "deleted" or both. `device` None: it is gone."""

    at: datetime
    device: str | None
    main: bool
    fetched: bool
    deleted: bool


def holders(messages: Sequence[int]) -> dict[int, list[Holder]]:
    """Say of live messages, by primary key, what each device that is in use makes of them; one statement."""
    found: dict[int, list[Holder]] = {key: [] for key in messages}
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, {"messages": list(messages)})
        for key, name, main, has, waits in cursor.fetchall():
            found[key].append(Holder(name, main, has, waits))
    return found


@dataclass(frozen=True, slots=True)
class Left:
    """The message left the live maildrop; the row of the stay that ended says why."""

    at: datetime
    stay: Message | EarlierStay


@dataclass(frozen=True, slots=True)
class Put:
    """The message came into the live maildrop otherwise than by its arrival: restored, or imported."""

    at: datetime
    restored: bool


Event = Act | Left | Put


def life(message: Message) -> list[Event]:
    """What became of the message since its arrival, over all its stays, in the order of its causes.

    A session comes where it began: what it removed has left within it.
    """
    stays = message.earlier_stays.select_related("removed_by").order_by("added")
    earlier = list(stays.defer(*(f"removed_by__{view}" for view in ("hidden", "skipped", "confirmed"))))
    moves = ((move.at, move) for move in _moves(message, earlier))
    events: list[tuple[datetime, Event]] = [*_acts(message, earlier), *moves]
    return [event for _moment, event in sorted(events, key=lambda placed: placed[0])]


def _moves(message: Message, earlier: Sequence[EarlierStay]) -> Iterator[Left | Put]:
    if message.aged_from is not None and not earlier:
        yield Put(message.aged_from, restored=False)
    for stay in earlier:
        yield Left(stay.removed_at, stay)
        yield Put(stay.restored_at, restored=True)
    if message.removed_at is not None:
        yield Left(message.removed_at, message)


def _acts(message: Message, earlier: Sequence[EarlierStay]) -> Iterator[tuple[datetime, Act]]:
    """What the diary knows of it, each with when its session began."""
    numbers = [*(stay.added for stay in earlier), message.added]
    with connection.cursor() as cursor:
        cursor.execute(_ACTS, {"mailbox": message.mailbox_id, "numbers": numbers})
        for began_at, *act in cursor.fetchall():
            yield began_at, Act(*act)
