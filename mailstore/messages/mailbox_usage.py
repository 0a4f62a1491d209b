"""What fills a mailbox: the three parts of the bar that its pages show, what waits for each device, the last mail."""

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
       had.recovery_messages, had.recovery_octets
  FROM had LEFT JOIN mailstore_message m ON m.mailbox_id = had.id AND m.removed IS NULL
 GROUP BY had.recovery_messages, had.recovery_octets
"""
# What waits for a device is all live mail without what it has or left out. The ranges of a set are few, and each is
# one look into the index; to look into the set once a message would unpack it each time.
_WAITING = """
SELECT d.id, box.messages - (
       SELECT count(*) FROM unnest(d.confirmed + d.hidden) AS known
         JOIN mailstore_message m ON m.mailbox_id = box.id AND m.removed IS NULL
          AND m.added >= lower(known) AND m.added < upper(known))
  FROM mailstore_device d JOIN mailstore_mailbox box ON box.id = d.mailbox_id
 WHERE d.mailbox_id = %(mailbox)s AND d.revoked_at IS NULL
"""
# The largest key of either index is no answer: a restore or an import gives old mail a new number.
_LAST_ARRIVAL = """
SELECT greatest((SELECT max(m.arrived_at) FROM mailstore_message m
                  WHERE m.mailbox_id = %(mailbox)s AND m.removed IS NULL),
                (SELECT max(m.arrived_at) FROM mailstore_message m
                  WHERE m.mailbox_id = %(mailbox)s AND m.removed IS NOT NULL))
"""


@dataclass(frozen=True, slots=True)
class Part:
    messages: int
    octets: int


@dataclass(frozen=True, slots=True)
class Split:
    """Mail that waits for a device (`waiting`), that every device has (`kept`), and in `recovery`.

    Recovery does not count against the quota.
    """

    waiting: Part
    kept: Part
    recovery: Part


def split(mailbox: int) -> Split:
    """Measure the mailbox with this primary key. It reads index entries of this mailbox alone, so pages may call it."""
    with connection.cursor() as cursor:
        cursor.execute(_SPLIT, {"mailbox": mailbox})
        waiting, waiting_octets, kept, kept_octets, recovery, recovery_octets = cursor.fetchone()
    return Split(Part(waiting, waiting_octets), Part(kept, kept_octets), Part(recovery, recovery_octets))


def waiting_by_device(mailbox: int) -> dict[int, int]:
    """Return how many messages wait for each device that may still sign in, by the device's primary key."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"mailbox": mailbox})
        return dict(cursor.fetchall())


def last_arrival(mailbox: int) -> datetime | None:
    """Return when the last of the messages that are still stored, live or in recovery, arrived."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_ARRIVAL, {"mailbox": mailbox})
        (at,) = cursor.fetchone()
    found: datetime | None = at
    return found
