"""What waits for each device of a mailbox, and until when it waits; for the pages of its owner and its admins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from mailstore.retention.silence_step import heard_devices
from mailstore.sql.statements.view import counts
from mailstore.sql.tables import REAL

# Only the gaps in what a device has are read from the index of live messages, so this costs little where little waits.
_WAITING = f"""
SELECT d.id, waiting.messages, {counts(device="d", mailbox="box")},
       heard.at <= %(now)s - make_interval(days => silence.days - notice.days),
       CASE WHEN NOT box.held THEN greatest(heard.at + make_interval(days => silence.days),
            coalesce(d.silence_notified_at, %(now)s) + make_interval(days => notice.days)) END
{heard_devices(REAL)}
 CROSS JOIN LATERAL (
       SELECT count(m.added) AS messages
         FROM unnest(int8multirange(int8range(0, box.change + 1)) - d.confirmed - d.hidden) AS run
         JOIN mailstore_message m ON m.mailbox_id = box.id AND m.removed IS NULL
          AND m.added >= lower(run) AND m.added < upper(run)) AS waiting
 WHERE box.id = %(mailbox)s AND d.revoked_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The live messages that a device does not have and did not leave out.

    Mail waits for the device only if it `counts`. `quiet` says that its owner gets or got the notice of its silence:
    `until` is when mail stops waiting if it does not sign in; None while the mailbox is on hold.
    """

    messages: int
    counts: bool
    quiet: bool
    until: datetime | None


def by_device(mailbox: int) -> dict[int, Waiting]:
    """Return what waits for each device of the mailbox that is not revoked, by the keys of the devices."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"mailbox": mailbox, "now": timezone.now()})
        return {device: Waiting(*values) for device, *values in cursor.fetchall()}
