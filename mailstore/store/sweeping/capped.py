"""Destroys what rests in recovery above its cap, what left first; mail that left within a day stays in any case."""

from __future__ import annotations

from django.db import connection

from mailstore.store.following import FOLLOWED
from mailstore.store.resting import CAP_OCTETS
from mailstore.store.sweeping.purging import Purging
from mailstore.store.sweeping.steps import Round, Step


def _due(which: str) -> str:
    """SQL from FROM on: a message goes when those that left after it fill the cap without it."""
    return f"""
  FROM (SELECT x.id, {CAP_OCTETS} AS cap
          FROM mailstore_mailbox x
          JOIN mailstore_domain o ON o.id = x.domain_id
          LEFT JOIN mailstore_retentionpolicy p ON {FOLLOWED}
         WHERE {which} AND NOT x.held AND x.removed_at IS NULL AND x.recovery_octets > {CAP_OCTETS}) AS b
 CROSS JOIN LATERAL (
       SELECT m.id, m.mailbox_id, m.removed, m.removed_at,
              sum(m.octets) OVER (ORDER BY m.removed DESC, m.id DESC) > b.cap AS above
         FROM mailstore_message m WHERE m.mailbox_id = b.id AND m.removed IS NOT NULL) AS m
 WHERE m.above AND m.removed_at < %(now)s::timestamptz - interval '1 day'"""


_COUNT = f"SELECT count(*) {_due('true')}"


def _look(round: Round) -> tuple[int]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"now": round.now})
        (count,) = cursor.fetchone()
    return (count,)


CAPPED = Step(("capped",), _look, Purging(_due("x.id = ANY(%(boxes)s)")).act)
