"""How long mail of a mailbox stays in recovery, and how much; pages and the sweep share it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from mailstore.policy.retention import CAP_GRACE_DAYS
from mailstore.retention.recovery_step import RECOVERY_DAYS
from mailstore.sql.policy_source import chosen_at, followed

# How much mail of mailbox box may stay in recovery under policy p. If the policy does not say, it is the quota: so all
# mail of a full mailbox has room there, and nobody stores more than twice the quota. NULL: no cap.
CAP_OCTETS = "coalesce(p.recovery_octets, box.quota_octets)"

# When the cap was lowered for box, from when on it waits for a week. NULL: never, or it holds without a wait.
CAP_LOWERED_AT = f"greatest(p.cap_since, {chosen_at()}, box.quota_lowered_at)"

_TERMS = f"""
SELECT greatest(1, coalesce(p.recovery_days, {RECOVERY_DAYS})), greatest(p.recovery_since, {chosen_at()}),
       {CAP_OCTETS}, {CAP_LOWERED_AT}, box.recovery_messages, box.recovery_octets, box.held
  FROM mailstore_mailbox box
  JOIN mailstore_domain dom ON dom.id = box.domain_id
  LEFT JOIN mailstore_retentionpolicy p ON {followed()}
 WHERE box.id = %(mailbox)s
"""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is in recovery, and for how long. For mail that left before `since`, the days count from `since`.

    `cap_lowered_at` is when the cap was last lowered; None if it holds without a wait.
    """

    days: int
    since: datetime | None
    cap_octets: int | None
    cap_lowered_at: datetime | None
    messages: int
    octets: int
    held: bool

    @property
    def cap_from(self) -> datetime | None:
        """Return when a cap that was lowered begins to hold; None if it holds already, or there is none."""
        if self.cap_octets is None or self.cap_lowered_at is None:
            return None
        begins = self.cap_lowered_at + timedelta(days=CAP_GRACE_DAYS)
        return begins if begins > timezone.now() else None

    def purged_at(self, removed_at: datetime) -> datetime | None:
        """Return when the sweep destroys mail that left at `removed_at`; None while the mailbox is on hold."""
        if self.held:
            return None
        return max(removed_at, self.since or removed_at) + timedelta(days=self.days)


def terms(mailbox: int) -> Terms:
    """Return the terms of the mailbox with this key."""
    with connection.cursor() as cursor:
        cursor.execute(_TERMS, {"mailbox": mailbox})
        return Terms(*cursor.fetchone())
