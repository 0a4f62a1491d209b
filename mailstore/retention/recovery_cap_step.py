"""Destroys what rests in recovery above its cap, what left first.

Mail that left within a day stays in any case, and all of it for a week after the cap was lowered: by the policy, by the
choice of another, or with the quota.
"""

from __future__ import annotations

from functools import cache

from django.db import connection

from mailstore.policy.retention import CAP_GRACE_DAYS
from mailstore.retention.purge_batch import Purge
from mailstore.retention.recovery_terms import CAP_OCTETS
from mailstore.sql import expiry_rule
from mailstore.sql.expiry_rule import due as leaves
from mailstore.sql.locked_batch import ROWS_AT_MOST
from mailstore.sql.policy_source import chosen_at, followed
from mailstore.sql.sweep_step import Step, SweepContext
from mailstore.sql.tables import REAL, Tables

# A greatest() of nothing but NULL: no cap was lowered, or no wait was asked for.
_STANDS = f"""coalesce(greatest(p.cap_since, {chosen_at()}, box.quota_lowered_at)
                    < %(now)s::timestamptz - interval '{CAP_GRACE_DAYS} days', true)"""


def due(which: str, *, tables: Tables = REAL) -> str:
    """SQL from FROM on, `mailboxes` as in `retention.boxes`: a message goes when those that left after it fill the cap
    without it.

    By the counter, that is as long as what left before it is less than what is too much: of however many rest, only the
    first are looked at.
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


# Mailboxes above their cap, or that will be once what is due by their policies has moved.
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


def _act(round: SweepContext) -> tuple[int]:
    return _purge(round.tables).act(round)


def _sways(round: SweepContext) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_SWAYED, {"now": round.now})
        return [key for (key,) in cursor.fetchall()]


CAPPED = Step(("capped",), None, _act, sways=_sways, copied=_act)
