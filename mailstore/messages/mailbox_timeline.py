"""What happened to the mail of a mailbox, for its timeline: what came, what did not, and removals; without content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from mailstore.models import TraceEntry

# An imported message did not arrive here at its time. A restored one did, and has an earlier e. The first of the
# parts reads the index of the list alone; each keeps no more than are wanted. The last has what was not delivered.
_EARLIER = "(%(before)s::timestamptz IS NULL OR arrived_at < %(before)s) ORDER BY arrived_at DESC LIMIT %(most)s"
_MESSAGE = "arrived_at, octets, 'delivered' AS answer, '' AS reason, '' AS sender, 1 AS tries, arrived_at AS first_at"
_DELIVERIES = f"""
(SELECT {_MESSAGE} FROM mailstore_message
  WHERE mailbox_id = %(mailbox)s AND removed IS NULL AND aged_from IS NULL AND {_EARLIER})
 UNION ALL
(SELECT {_MESSAGE} FROM mailstore_message
  WHERE mailbox_id = %(mailbox)s AND removed IS NOT NULL AND aged_from IS NULL AND {_EARLIER})
 UNION ALL
(SELECT {_MESSAGE} FROM mailstore_message
  WHERE aged_from IS NOT NULL AND id IN (
        SELECT e.message_id FROM mailstore_earlierstay e WHERE e.mailbox_id = %(mailbox)s) AND {_EARLIER})
 UNION ALL
(SELECT te.at, te.octets, te.answer, te.reason, te.sender, te.tries, te.first_at FROM mailstore_traceentry te
  WHERE te.mailbox_id = %(mailbox)s AND te.answer <> 'delivered' AND {_EARLIER.replace("arrived_at", "te.at")})
 ORDER BY arrived_at DESC LIMIT %(most)s
"""
# A statement gives all messages that it removes the same time. What people remove is in the audit.
_REMOVALS = """
SELECT gone.removed_at, gone.removed_why, gone.removed_by_id, d.name, coalesce(d.main, false), count(*),
       sum(gone.octets)::bigint, count(*) FILTER (WHERE gone.resting)
  FROM (SELECT removed_at, removed_why, removed_by_id, octets, true AS resting FROM mailstore_message
         WHERE mailbox_id = %(mailbox)s AND removed IS NOT NULL
         UNION ALL
        SELECT e.removed_at, e.removed_why, e.removed_by_id, m.octets, false
          FROM mailstore_earlierstay e JOIN mailstore_message m ON m.id = e.message_id
         WHERE e.mailbox_id = %(mailbox)s) AS gone
  LEFT JOIN mailstore_device d ON d.id = gone.removed_by_id
 WHERE gone.removed_why <> 'person' AND (%(before)s::timestamptz IS NULL OR gone.removed_at < %(before)s)
 GROUP BY 1, 2, 3, 4, 5 ORDER BY 1 DESC, 2, 3 LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Removal:
    """Messages that left the live maildrop at one time for one reason. `resting` of them can still be restored.

    `device` (a primary key), its name and `main` say which device removed them; None if none did.
    """

    at: datetime
    why: str  # Message.Why
    device: int | None
    device_name: str | None
    main: bool
    messages: int
    octets: int
    resting: int


def deliveries(mailbox: int, *, before: datetime | None, most: int) -> list[TraceEntry]:
    """Return the last messages that came before that time, as far as they are stored, and what was not delivered.

    They are entries of the trace that are not in the database, with these fields alone; latest first.
    """
    names = ("at", "octets", "answer", "reason", "sender", "tries", "first_at")
    rows = _rows(_DELIVERIES, mailbox, before, most)
    return [TraceEntry(**dict(zip(names, row, strict=True))) for row in rows]


def removals(mailbox: int, *, before: datetime | None, most: int) -> list[Removal]:
    """Return the last removals before that time, latest first, but not those by people."""
    return [Removal(*row) for row in _rows(_REMOVALS, mailbox, before, most)]


def _rows(statement: str, mailbox: int, before: datetime | None, most: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"mailbox": mailbox, "before": before, "most": most})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
