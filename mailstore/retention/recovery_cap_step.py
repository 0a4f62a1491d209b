"""The step that destroys mail in recovery above the cap of the mailbox. What left first is destroyed first.

Mail that left within a day always stays. All of it stays for a week after the cap was lowered: by the policy, by the
choice of another policy, or with the quota.
"""

from __future__ import annotations

from functools import cache

from django.db import connection

from mailstore.policy.retention import CAP_GRACE_DAYS
from mailstore.retention.recovery_step import Purge
from mailstore.retention.recovery_terms import CAP_LOWERED_AT, CAP_OCTETS
from mailstore.sql import expiry_rule
from mailstore.sql.expiry_rule import due as leaves
from mailstore.sql.locked_batch import ROWS_AT_MOST
from mailstore.sql.policy_source import followed
from mailstore.sql.sweep_step import Step, SweepContext
from mailstore.sql.tables import REAL, Tables

_CAP_HOLDS = f"""coalesce({CAP_LOWERED_AT}
                    < %(now)s::timestamptz - interval '{CAP_GRACE_DAYS} days', true)"""


def due(which: str, *, tables: Tables = REAL) -> str:
    """Return SQL from FROM on: rows m in recovery that are above the cap, of the mailboxes box that `which` picks.

    A message is above the cap if those that left after it fill the cap. By the counter of the mailbox, that is so if
    what left before the message is less than the excess. So only the first messages are read.
    """
    return f"""
  FROM (SELECT box.id, box.recovery_octets - {CAP_OCTETS} AS above
          FROM {tables.mailbox} box
          JOIN {tables.domain} dom ON dom.id = box.domain_id
          LEFT JOIN {tables.policy} p ON {followed(tables=tables)}
         WHERE {which} AND NOT box.held AND box.removed_at IS NULL AND box.recovery_octets > {CAP_OCTETS}
           AND {_CAP_HOLDS}) AS boxes
 CROSS JOIN LATERAL (
       SELECT first.id, first.mailbox_id, first.octets, first.removed, first.removed_at,
              sum(first.octets) OVER (ORDER BY first.removed, first.id) - first.octets < boxes.above AS is_above
         FROM (SELECT * FROM {tables.message}
                WHERE mailbox_id = boxes.id AND removed IS NOT NULL ORDER BY removed, id
                LIMIT {ROWS_AT_MOST}) AS first) AS m
 WHERE m.is_above AND m.removed_at < %(now)s::timestamptz - interval '1 day'"""


# Mailboxes that are above their cap, or will be once their expired mail has moved.
_COUPLED = f"""
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
   AND box.recovery_octets + coalesce(moving.octets, 0) > {CAP_OCTETS} AND {_CAP_HOLDS}
"""


@cache
def _purge(tables: Tables) -> Purge:
    return Purge(due("box.id = ANY(%(boxes)s)", tables=tables))


def _act(context: SweepContext) -> tuple[int]:
    return _purge(context.tables).act(context)


def _coupled(context: SweepContext) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_COUPLED, {"now": context.now})
        return [key for (key,) in cursor.fetchall()]


RECOVERY_CAP = Step(("capped",), None, _act, coupled=_coupled, on_copies=_act)
