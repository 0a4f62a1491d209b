"""Destroys what rests in recovery above its cap, what left first; mail that left within a day stays in any case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import connection, transaction

from mailstore.store import purge
from mailstore.store.following import FOLLOWED
from mailstore.store.resting import CAP_OCTETS
from mailstore.store.sweeping.steps import BATCH_ROWS, Round, Step

_BOXES = f"""
  FROM mailstore_mailbox x
  JOIN mailstore_domain o ON o.id = x.domain_id
  LEFT JOIN mailstore_retentionpolicy p ON {FOLLOWED}
 WHERE NOT x.held AND x.removed_at IS NULL AND x.recovery_octets > {CAP_OCTETS}
"""
# A message goes when those that left after it fill the cap without it.
_ABOVE = f"""
    SELECT m.id, m.removed, m.removed_at, sum(m.octets) OVER (ORDER BY m.removed DESC, m.id DESC) > x.cap AS above
      FROM (SELECT x.id, {CAP_OCTETS} AS cap {_BOXES} AND x.id = %(mailbox)s) AS x
      JOIN mailstore_message m ON m.mailbox_id = x.id AND m.removed IS NOT NULL
"""
_DUE = f"""
SELECT id FROM ({_ABOVE}) AS resting
 WHERE above AND removed_at < %(now)s - interval '1 day' ORDER BY removed, id LIMIT {BATCH_ROWS}
"""
_MAILBOXES = f"SELECT x.id {_BOXES} ORDER BY x.id"
_COUNT = f"""
SELECT count(*)
  FROM (SELECT x.id, {CAP_OCTETS} AS cap {_BOXES}) AS x
 CROSS JOIN LATERAL (
       SELECT m.removed_at, sum(m.octets) OVER (ORDER BY m.removed DESC, m.id DESC) > x.cap AS above
         FROM mailstore_message m WHERE m.mailbox_id = x.id AND m.removed IS NOT NULL) AS resting
 WHERE above AND removed_at < %(now)s - interval '1 day'
"""
_LOCK_MAILBOX = "SELECT FROM mailstore_mailbox WHERE id = %(mailbox)s FOR NO KEY UPDATE"


def _look(round: Round) -> tuple[int]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"now": round.now})
        (count,) = cursor.fetchone()
    return (count,)


def _act(round: Round) -> tuple[int]:
    return (sum(_batches(round)),)


def _batches(round: Round) -> Iterator[int]:
    """Yield how many rows each batch destroyed."""
    with connection.cursor() as cursor:
        cursor.execute(_MAILBOXES)
        mailboxes = [key for (key,) in cursor.fetchall()]
    for mailbox in mailboxes:
        count = BATCH_ROWS
        while count == BATCH_ROWS and not round.stop():
            count = _batch(mailbox, round)
            yield count


@transaction.atomic
def _batch(mailbox: int, round: Round) -> int:
    """Destroy some of a mailbox's rows, behind its lock: what was restored or held before is then seen."""
    which: dict[str, int | datetime] = {"mailbox": mailbox, "now": round.now}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_MAILBOX, which)
        cursor.execute(_DUE, which)
        due = [key for (key,) in cursor.fetchall()]
    return purge.messages(due) if due else 0


CAPPED = Step(("capped",), _look, _act)
