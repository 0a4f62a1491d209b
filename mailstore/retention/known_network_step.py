"""Forgets from where users signed in longer than a month ago, and of each user all but the newest networks."""

from __future__ import annotations

from django.db import connection

from mailstore.policy.known_pairs import KNOWN_DAYS, NETWORKS_KEPT
from mailstore.sql.sweep_step import Step, SweepContext

_FORGET_OLD = f"""
DELETE FROM mailstore_knownnetwork WHERE seen_at < %(now)s::timestamptz - interval '{KNOWN_DAYS} days'
"""
_FORGET_MANY = f"""
DELETE FROM mailstore_knownnetwork WHERE id IN (
    SELECT placed.id
      FROM (SELECT k.id, row_number() OVER (PARTITION BY k.user_id ORDER BY k.seen_at DESC, k.id) AS place
              FROM mailstore_knownnetwork k
             WHERE k.user_id IN (SELECT user_id FROM mailstore_knownnetwork
                                  GROUP BY user_id HAVING count(*) > {NETWORKS_KEPT})) AS placed
     WHERE placed.place > {NETWORKS_KEPT})
"""


def _look(_round: SweepContext) -> tuple[()]:
    return ()


def _act(round: SweepContext) -> tuple[()]:
    for statement in (_FORGET_OLD, _FORGET_MANY):
        if not round.stop():
            with connection.cursor() as cursor:
                cursor.execute(statement, {"now": round.now})
    return ()


KNOWN_NETWORKS = Step((), _look, _act)
