"""What fills a mailbox: the three parts of the bar that its pages show, and the last mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from mailstore.sql.device_coverage import every_has

_SPLIT = f"""
WITH had AS MATERIALIZED (
    SELECT box.id, {every_has()} AS every, box.recovery_messages, box.recovery_octets
      FROM mailstore_mailbox box WHERE box.id = %(mailbox)s)
SELECT count(*) FILTER (WHERE NOT had.every @> m.added),
       coalesce(sum(m.octets) FILTER (WHERE NOT had.every @> m.added), 0)::bigint,
       count(*) FILTER (WHERE had.every @> m.added),
       coalesce(sum(m.octets) FILTER (WHERE had.every @> m.added), 0)::bigint,
       had.recovery_messages, had.recovery_octets,
       greatest(max(m.arrived_at), (SELECT max(m_gone.arrived_at) FROM mailstore_message m_gone
                                     WHERE m_gone.mailbox_id = %(mailbox)s AND m_gone.removed IS NOT NULL))
  FROM had LEFT JOIN mailstore_message m ON m.mailbox_id = had.id AND m.removed IS NULL
 GROUP BY had.recovery_messages, had.recovery_octets
"""


@dataclass(frozen=True, slots=True)
class Part:
    messages: int
    octets: int


@dataclass(frozen=True, slots=True)
class Split:
    """Mail that waits for a device (`waiting`), that every device has (`kept`), and in `recovery`.

    Recovery does not count against the quota. `last_arrival_at` is that of all of it.
    """

    waiting: Part
    kept: Part
    recovery: Part
    last_arrival_at: datetime | None = None


def split(mailbox: int) -> Split:
    """Measure the mailbox with this primary key. It reads index entries of its live mail, and its rows in recovery.

    A mailbox that was purged meanwhile contains nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SPLIT, {"mailbox": mailbox})
        row = cursor.fetchone() or (0, 0, 0, 0, 0, 0, None)
    waiting, waiting_octets, kept, kept_octets, recovery, recovery_octets, last_at = row
    return Split(Part(waiting, waiting_octets), Part(kept, kept_octets), Part(recovery, recovery_octets), last_at)
