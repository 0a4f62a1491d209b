"""What fills a mailbox, for the split bar of its pages: `split(mailbox)`, on the owner's page and on the panel's."""

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
_RESTING = "SELECT recovery_messages, recovery_octets FROM mailstore_mailbox WHERE id = %(mailbox)s"


@dataclass(frozen=True, slots=True)
class Part:
    messages: int
    octets: int


@dataclass(frozen=True, slots=True)
class Split:
    """`waiting` for a device, `kept` though every device has it (both count against the quota); `recovery` does not."""

    waiting: Part
    kept: Part
    recovery: Part


def split(mailbox: int) -> Split:
    """Measure the mailbox of this key. Reads only the mailbox's own index entries, so a page may ask at each view."""
    with connection.cursor() as cursor:
        cursor.execute(_SPLIT, {"mailbox": mailbox})
        waiting, waiting_octets, kept, kept_octets = cursor.fetchone()
        cursor.execute(_RESTING, {"mailbox": mailbox})
        resting, resting_octets = cursor.fetchone()
    return Split(Part(waiting, waiting_octets), Part(kept, kept_octets), Part(resting, resting_octets))
