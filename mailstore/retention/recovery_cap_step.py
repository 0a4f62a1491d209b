"""The step that destroys mail in recovery above the mailbox's cap, what left first goes first.

Mail that left within a day stays in any case. All of it stays for a week after the cap was lowered: by the policy, by
the choice of another policy, or with the quota.
"""

from __future__ import annotations

from functools import cache

from django.db import connection

from mailstore.policy.retention import CAP_GRACE_DAYS
from mailstore.retention.recovery_step import Purge
from mailstore.retention.recovery_terms import CAP_OCTETS
from mailstore.sql import expiry_rule
from mailstore.sql.expiry_rule import due as leaves
from mailstore.sql.locked_batch import ROWS_AT_MOST
from mailstore.sql.policy_source import chosen_at, followed
from mailstore.sql.sweep_step import Step, SweepContext
from mailstore.sql.tables import REAL, Tables

# The greatest() is NULL where no cap was lowered, or no wait was asked for.
_STANDS = f"""coalesce(greatest(p.cap_since, {chosen_at()}, box.quota_lowered_at)
                    < %(now)s::timestamptz - interval '{CAP_GRACE_DAYS} days', true)"""


def due(which: str, *, tables: Tables = REAL) -> str:
    """Return SQL from FROM on: rows m in recovery of the mailboxes box that `which` picks, which are above the cap.

    A message goes when those that left after it fill the cap without it. By the mailbox's counter, that is so as long
    as what left before the message is less than the excess, so only the first messages are looked at.
    """
    return f"""
  FROM (SELECT box.id, box.recovery_octets - {CAP_OCTETS} AS above
          FROM {tables.mailbox} box
          JOIN {tables.domain} dom ON dom.id = box.domain_id
          LEFT JOIN {tables.policy} p ON {followed(tables=tables)}
         WHERE {which} AND NOT box.held AND box.removed_at IS NULL AND box.recovery_octets > {CAP_OCTETS}
           AND {_STANDS}) AS boxes
 CROSS JOIN LATERAL (
       SELECT first.id, first.mailbox_id, first.octets, first.removed, first.removed_at,
              sum(first.octets) OVER (ORDER BY first.removed, first.id) - first.octets < boxes.above AS goes
         FROM (SELECT * FROM {tables.message}
                WHERE mailbox_id = boxes.id AND removed IS NOT NULL ORDER BY removed, id
                LIMIT {ROWS_AT_MOST}) AS first) AS m
 WHERE m.goes AND m.removed_at < %(now)s::timestamptz - interval '1 day'"""


# Mailboxes that are above their cap, or will be once the mail that is due by their policies has moved.
_SWAYED = f"""
WITH {expiry_rule.boxes(f"box.recovery_octets + box.octets > {CAP_OCTETS}")},
moving AS (
    SELECT boxes.id, sum(m.octets) AS octets
      FROM boxes JOIN mailstore_message m ON m.mailbox_id = boxes.id AND m.removed IS NULL {leaves()}
     WHERE due.at <= %(now)s GROUP BY boxes.id)
SELECT box.id
  FROM mailstore_mailbox box
  JOIN mailstore_domain dom ON dom.id = box.domain_id
  LEFT JOIN mailstore_retentionpolicy p ON {followed()}
  LEFT JOIN moving ON moving.id = box.id
 WHERE NOT box.held AND box.removed_at IS NULL AND box.recovery_messages > 0
   AND box.recovery_octets + coalesce(moving.octets, 0) > {CAP_OCTETS} AND {_STANDS}
"""


@cache
def _purge(tables: Tables) -> Purge:
    return Purge(due("box.id = ANY(%(boxes)s)", tables=tables))


def _act(context: SweepContext) -> tuple[int]:
    return _purge(context.tables).act(context)


def _sways(context: SweepContext) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_SWAYED, {"now": context.now})
        return [key for (key,) in cursor.fetchall()]


CAPPED = Step(("capped",), None, _act, sways=_sways, copied=_act)
