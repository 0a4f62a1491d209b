"""Destroys the rows of messages that have rested in recovery long enough; their bodies follow a day later."""

from __future__ import annotations

from functools import cache

from django.db import connection

from mailstore.retention.purge_batch import Purge
from mailstore.sql.locked_batch import ROWS_AT_MOST
from mailstore.sql.policy_source import chosen_at, followed
from mailstore.sql.sweep_step import Step, SweepContext
from mailstore.sql.tables import REAL, Tables

RECOVERY_DAYS = 30  # where no policy says otherwise


def due(which: str, limit: str = "ALL", *, tables: Tables = REAL) -> str:
    """SQL from FROM on: rows m in recovery of the mailboxes x that `which` picks, which have rested long enough.

    Rows rest a day even where the policy says 0: a session that opened before may still fetch them. What left first is
    due first, so most mailboxes cost one look; `limit` is how many rows of one are looked at. `mailboxes` as in
    `retention.boxes`.
    """
    resting = f"""SELECT m.id, m.mailbox_id, m.octets, m.removed, m.removed_at FROM {tables.message} m
                  WHERE m.mailbox_id = boxes.id AND m.removed IS NOT NULL ORDER BY m.removed LIMIT"""
    return f"""
  FROM (SELECT box.id, until.at AS until
          FROM {tables.mailbox} box
          JOIN {tables.domain} dom ON dom.id = box.domain_id
          LEFT JOIN {tables.policy} p ON {followed(tables=tables)}
         CROSS JOIN LATERAL (
               SELECT %(now)s::timestamptz
                    - make_interval(days => greatest(1, coalesce(p.recovery_days, {RECOVERY_DAYS}))) AS at) AS until
         WHERE {which} AND box.recovery_messages > 0 AND NOT box.held AND box.removed_at IS NULL
           AND coalesce(greatest(p.recovery_since, {chosen_at()}) < until.at, true)) AS boxes
 CROSS JOIN LATERAL ({resting} 1) AS oldest
 CROSS JOIN LATERAL ({resting} {limit}) AS m
 WHERE oldest.removed_at < boxes.until AND m.removed_at < boxes.until"""


_COUNT = f"SELECT count(*) {due('box.id <> ALL(%(but)s::bigint[])')}"


def _look(round: SweepContext) -> tuple[int]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"now": round.now, "but": list(round.but)})
        (count,) = cursor.fetchone()
    return (count,)


@cache
def _purge(tables: Tables) -> Purge:
    return Purge(due("box.id = ANY(%(boxes)s)", str(ROWS_AT_MOST), tables=tables))


def _act(round: SweepContext) -> tuple[int]:
    return _purge(round.tables).act(round)


RESTED = Step(("messages",), _look, _act, copied=_act)
