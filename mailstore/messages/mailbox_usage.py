"""What fills a mailbox: the three parts of the bar that its pages show."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from mailstore.sql.device_coverage import every_has

_SPLIT = f"""
WITH had AS MATERIALIZED (
    SELECT box.id, {every_has()} AS every FROM mailstore_mailbox box WHERE box.id = %(mailbox)s)
SELECT count(*) FILTER (WHERE NOT had.every @> m.added),
       coalesce(sum(m.octets) FILTER (WHERE NOT had.every @> m.added), 0)::bigint,
       count(*) FILTER (WHERE had.every @> m.added),
       coalesce(sum(m.octets) FILTER (WHERE had.every @> m.added), 0)::bigint
  FROM had JOIN mailstore_message m ON m.mailbox_id = had.id AND m.removed IS NULL
"""
_RECOVERY = "SELECT recovery_messages, recovery_octets FROM mailstore_mailbox WHERE id = %(mailbox)s"


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
        waiting, waiting_octets, kept, kept_octets = cursor.fetchone()
        cursor.execute(_RECOVERY, {"mailbox": mailbox})
        recovery, recovery_octets = cursor.fetchone()
    return Split(Part(waiting, waiting_octets), Part(kept, kept_octets), Part(recovery, recovery_octets))
