"""Find and correct rows that contradict other rows: counters that differ from their sums, and impossible stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction

from mailstore.models import EarlierStay

# One statement sees one snapshot, so a delivery at the same time is on both sides or on none.
_WRONG_MAILBOXES = """
SELECT box.id, box.id, u.address, box.messages, box.octets, coalesce(live.messages, 0), coalesce(live.octets, 0)
  FROM mailstore_mailbox box
  JOIN mailstore_user u ON u.id = box.user_id
  LEFT JOIN (SELECT mailbox_id, count(*) AS messages, sum(octets)::bigint AS octets
               FROM mailstore_message WHERE removed IS NULL GROUP BY mailbox_id) AS live ON live.mailbox_id = box.id
 WHERE (box.messages, box.octets) <> (coalesce(live.messages, 0), coalesce(live.octets, 0))
 ORDER BY box.id
"""
_WRONG_RECOVERY = """
SELECT box.id, box.id, u.address || ' in recovery', box.recovery_messages, box.recovery_octets,
       coalesce(rested.messages, 0), coalesce(rested.octets, 0)
  FROM mailstore_mailbox box
  JOIN mailstore_user u ON u.id = box.user_id
  LEFT JOIN (SELECT mailbox_id, count(*) AS messages, sum(octets)::bigint AS octets
               FROM mailstore_message WHERE removed IS NOT NULL GROUP BY mailbox_id) AS rested
         ON rested.mailbox_id = box.id
 WHERE (box.recovery_messages, box.recovery_octets) <> (coalesce(rested.messages, 0), coalesce(rested.octets, 0))
 ORDER BY box.id
"""
_WRONG_VIEWS = """
SELECT d.id, d.mailbox_id, u.address || ' ' || d.name, d.hidden_messages, d.hidden_octets, sums.messages, sums.octets
  FROM mailstore_device d
  JOIN mailstore_mailbox box ON box.id = d.mailbox_id
  JOIN mailstore_user u ON u.id = box.user_id
  CROSS JOIN LATERAL (
      SELECT count(*) AS messages, coalesce(sum(m.octets), 0)::bigint AS octets
        FROM mailstore_message m
       WHERE m.mailbox_id = d.mailbox_id AND m.removed IS NULL AND d.hidden @> m.added) AS sums
 WHERE d.revoked_at IS NULL AND (d.hidden <> '{}' OR d.hidden_messages <> 0 OR d.hidden_octets <> 0)
   AND (d.hidden_messages, d.hidden_octets) <> (sums.messages, sums.octets)
 ORDER BY d.id
"""
# These count again under the lock of the mailbox. The next change number makes caches forget the mailbox.
_LOCK = "SELECT FROM mailstore_mailbox WHERE id = %(mailbox)s FOR UPDATE"
_CORRECT_MAILBOX = """
UPDATE mailstore_mailbox box SET messages = live.messages, octets = live.octets, change = box.change + 1
  FROM (SELECT count(*) AS messages, coalesce(sum(octets), 0) AS octets
          FROM mailstore_message WHERE mailbox_id = %(mailbox)s AND removed IS NULL) AS live
 WHERE box.id = %(key)s
"""
_CORRECT_RECOVERY = """
UPDATE mailstore_mailbox box SET recovery_messages = rested.messages, recovery_octets = rested.octets
  FROM (SELECT count(*) AS messages, coalesce(sum(octets), 0) AS octets
          FROM mailstore_message WHERE mailbox_id = %(mailbox)s AND removed IS NOT NULL) AS rested
 WHERE box.id = %(key)s
"""
_CORRECT_VIEW = """
WITH corrected AS (
    UPDATE mailstore_device d SET hidden_messages = sums.messages, hidden_octets = sums.octets
      FROM (SELECT count(*) AS messages, coalesce(sum(m.octets), 0) AS octets
              FROM mailstore_message m JOIN mailstore_device d_counted ON d_counted.id = %(key)s
             WHERE m.mailbox_id = %(mailbox)s AND m.removed IS NULL AND d_counted.hidden @> m.added) AS sums
     WHERE d.id = %(key)s)
UPDATE mailstore_mailbox SET change = change + 1 WHERE id = %(mailbox)s
"""
_COUNTERS = (
    (_WRONG_MAILBOXES, _CORRECT_MAILBOX),
    (_WRONG_RECOVERY, _CORRECT_RECOVERY),
    (_WRONG_VIEWS, _CORRECT_VIEW),
)
# If two stays overlap, the younger row is right. The row of the message, which is its last stay, is always right.
_WRONG_STAYS = """
SELECT e.id, u.address || ' ' || e.uidl,
       CASE WHEN m.id IS NULL THEN 'its message is gone'
            WHEN m.mailbox_id <> e.mailbox_id THEN 'its message is in another mailbox'
            WHEN e.removed > m.added THEN 'it ends after the next one of its message began'
            ELSE 'it overlaps another one of its message' END
  FROM mailstore_earlierstay e
  JOIN mailstore_mailbox box ON box.id = e.mailbox_id
  JOIN mailstore_user u ON u.id = box.user_id
  LEFT JOIN mailstore_message m ON m.id = e.message_id
 WHERE m.id IS NULL OR m.mailbox_id <> e.mailbox_id OR e.removed > m.added
    OR EXISTS (SELECT FROM mailstore_earlierstay e_other
                WHERE e_other.message_id = e.message_id AND e_other.id > e.id
                  AND e_other.added < e.removed AND e.added < e_other.removed)
 ORDER BY e.id
"""


@dataclass(frozen=True, slots=True)
class WrongCounter:
    """A row whose counters (`counted`) differ from the sums (`found`). Both are messages and octets."""

    key: int
    mailbox: int
    subject: str
    counted: tuple[int, int]
    found: tuple[int, int]
    correction: str  # SQL

    def correct(self) -> None:
        """Set the counters to the present sums."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LOCK, {"mailbox": self.mailbox})
            cursor.execute(self.correction, {"key": self.key, "mailbox": self.mailbox})


def wrong_counters() -> Iterator[WrongCounter]:
    """Yield the rows whose counters differ: mailboxes, their recovery, then views."""
    for query, correction in _COUNTERS:
        with connection.cursor() as cursor:
            cursor.execute(query)
            rows = cursor.fetchall()
        for key, mailbox, subject, messages, octets, true_messages, true_octets in rows:
            yield WrongCounter(key, mailbox, subject, (messages, octets), (true_messages, true_octets), correction)


@dataclass(frozen=True, slots=True)
class WrongStay:
    """An earlier stay that cannot have existed. A session could list it wrongly."""

    key: int
    subject: str
    detail: str

    def correct(self) -> None:
        """Delete the stay. Its message remains."""
        EarlierStay.objects.filter(pk=self.key).delete()


def wrong_stays() -> Iterator[WrongStay]:
    """Yield the impossible stays, as one snapshot has them."""
    with connection.cursor() as cursor:
        cursor.execute(_WRONG_STAYS)
        yield from (WrongStay(*row) for row in cursor.fetchall())
