"""What is to come for messages: which devices wait for one, when it leaves, and when it is deleted for good.

All of it comes with the rows in their one statement, for pages that show a few messages of several mailboxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, DateTimeField, QuerySet
from django.db.models.expressions import RawSQL

from mailstore.models import Message
from mailstore.retention.recovery_step import RECOVERY_DAYS
from mailstore.sql.device_coverage import waits
from mailstore.sql.expiry_rule import boxes, due
from mailstore.sql.policy_source import chosen_at, followed

_ROW = "mailstore_message"
_MAIN = ""  # in the place of a device's name, which is never empty
_WAITING = f"""
ARRAY(SELECT CASE WHEN d.main THEN '{_MAIN}' ELSE d.name END FROM mailstore_device d
       WHERE d.mailbox_id = {_ROW}.mailbox_id AND d.revoked_at IS NULL AND {_ROW}.removed IS NULL
         AND NOT (d.main AND d.last_sign_in_at IS NULL) AND {waits(message=_ROW)}
       ORDER BY d.main, d.name)
"""
_LEAVES_AT = f"""
WITH {boxes(f"box.id = {_ROW}.mailbox_id AND {_ROW}.removed IS NULL")}
SELECT due.at FROM boxes {due(message=_ROW) % {"now": "now()"}}
"""
_PURGED_AT = f"""
SELECT greatest({_ROW}.removed_at, p.recovery_since, {chosen_at()})
       + make_interval(days => greatest(1, coalesce(p.recovery_days, {RECOVERY_DAYS})))
  FROM mailstore_mailbox box
  JOIN mailstore_domain dom ON dom.id = box.domain_id
  LEFT JOIN mailstore_retentionpolicy p ON {followed()}
 WHERE box.id = {_ROW}.mailbox_id AND NOT box.held AND {_ROW}.removed IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Outlook:
    """One message. `waiting` has the name of each device that waits for it, None for the main password.

    `leaves_at` is None where no rule takes the message, or it has left. `purged_at` is None while it is live or the
    mailbox is on hold.
    """

    message: Message
    waiting: Sequence[str | None]
    leaves_at: datetime | None
    purged_at: datetime | None


def outlooks(rows: QuerySet[Message]) -> list[Outlook]:
    """Return the outlook of each of these messages."""
    annotated = rows.annotate(
        waiting=RawSQL(_WAITING, (), ArrayField(CharField())),
        leaves_at=RawSQL(_LEAVES_AT, (), DateTimeField()),
        purged_at=RawSQL(_PURGED_AT, (), DateTimeField()),
    )
    return [Outlook(row, [name or None for name in row.waiting], row.leaves_at, row.purged_at) for row in annotated]
