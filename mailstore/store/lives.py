"""The life of messages: which device has each, and what sessions of the diary did with one. Read for pages only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from mailstore.models import DiarySession, Mailbox, Message
from mailstore.store.possession import HAS, WAITS

SESSIONS_MOST = 200  # of one message: a device that fetches it again and again says nothing new
# What each device makes of live messages: it has one, waits for it, or has never seen it, as its start left it out.
_HOLDERS = f"""
SELECT m.id, v.name, v.main, {HAS}, {WAITS}
  FROM mailstore_message m JOIN mailstore_device v ON v.mailbox_id = m.mailbox_id AND v.revoked_at IS NULL
 WHERE m.id = ANY(%(messages)s) AND m.removed IS NULL AND NOT (v.main AND v.last_sign_in_at IS NULL)
 ORDER BY v.main, v.name
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


def acts(message: Message) -> list[Act]:
    """What the diary knows of this stay of the message, the oldest first."""
    sessions = (
        sessions_with(message.mailbox, message.added)
        .select_related("device")
        .defer("device__hidden", "device__skipped", "device__confirmed")
    )
    rows = sessions.order_by("started_at").extra(
        select={"did_fetch": "fetched @> %s::bigint", "did_delete": "deleted @> %s::bigint"},
        select_params=[message.added, message.added],
    )
    return [
        Act(
            row.ended_at,
            row.device and row.device.name,
            bool(row.device and row.device.main),
            row.did_fetch,
            row.did_delete,
        )
        for row in rows[:SESSIONS_MOST]
    ]


def sessions_with(mailbox: Mailbox | int, added: int) -> QuerySet[DiarySession]:
    """The sessions that fetched or removed the message with this arrival number."""
    return DiarySession.objects.filter(mailbox=mailbox).extra(
        where=["(mailstore_diarysession.fetched @> %s::bigint OR mailstore_diarysession.deleted @> %s::bigint)"],
        params=[added, added],
    )
