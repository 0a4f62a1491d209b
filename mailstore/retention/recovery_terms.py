"""How long and how much mail of a mailbox rests in recovery: its policy in one place, for pages and the sweep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from mailstore.retention.recovery_step import RECOVERY_DAYS
from mailstore.sql.policy_source import chosen_at, followed

# What may rest of mailbox x under policy p. Where the policy is silent, as much as the quota: whatever a full mailbox
# loses at one go finds room, and nobody stores more than twice what he was given. NULL: no cap.
CAP_OCTETS = "coalesce(p.recovery_octets, box.quota_octets)"

_TERMS = f"""
SELECT greatest(1, coalesce(p.recovery_days, {RECOVERY_DAYS})), greatest(p.recovery_since, {chosen_at()}),
       {CAP_OCTETS}, box.recovery_messages, box.recovery_octets, box.held
  FROM mailstore_mailbox box
  JOIN mailstore_domain dom ON dom.id = box.domain_id
  LEFT JOIN mailstore_retentionpolicy p ON {followed()}
 WHERE box.id = %(mailbox)s
"""


@dataclass(frozen=True, slots=True)
class Terms:
    """What rests in a mailbox, and under which terms; the days count from `since` for what left before."""

    days: int
    since: datetime | None
    cap_octets: int | None
    messages: int
    octets: int
    held: bool

    def purged_at(self, removed_at: datetime) -> datetime | None:
        """When the sweep destroys what left then; None: not while the mailbox is on hold."""
        if self.held:
            return None
        return max(removed_at, self.since or removed_at) + timedelta(days=self.days)


def terms(mailbox: int) -> Terms:
    """Read them for the mailbox of this key."""
    with connection.cursor() as cursor:
        cursor.execute(_TERMS, {"mailbox": mailbox})
        return Terms(*cursor.fetchone())
