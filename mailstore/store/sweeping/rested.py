"""Destroys the rows of messages that have rested in recovery long enough; their bodies follow a day later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import connection, transaction

from mailstore.store import purge
from mailstore.store.following import CHOSEN_AT, FOLLOWED
from mailstore.store.sweeping.steps import BATCH_ROWS, Round, Step

RECOVERY_DAYS = 30  # where no policy says otherwise

# Rows rest a day even where the policy says 0: a session that opened before may still fetch them.
DUE = f"""
  FROM mailstore_message m
  JOIN mailstore_mailbox x ON x.id = m.mailbox_id
  JOIN mailstore_domain o ON o.id = x.domain_id
  LEFT JOIN mailstore_retentionpolicy p ON {FOLLOWED}
 WHERE m.removed IS NOT NULL AND NOT x.held AND x.removed_at IS NULL
   AND m.removed_at < %(now)s - interval '1 day'
   AND greatest(m.removed_at, p.recovery_since, {CHOSEN_AT})
       < %(now)s - make_interval(days => greatest(1, coalesce(p.recovery_days, {RECOVERY_DAYS})))
"""
_DUE_MAILBOXES = f"SELECT DISTINCT m.mailbox_id {DUE} ORDER BY m.mailbox_id"
_DUE_COUNT = f"SELECT count(*) {DUE}"
_DUE_MESSAGES = f"SELECT m.id {DUE} AND m.mailbox_id = %(mailbox)s ORDER BY m.removed LIMIT {BATCH_ROWS}"
_LOCK_MAILBOX = "SELECT FROM mailstore_mailbox WHERE id = %(mailbox)s FOR NO KEY UPDATE"


def _look(round: Round) -> tuple[int]:
    with connection.cursor() as cursor:
        cursor.execute(_DUE_COUNT, {"now": round.now})
        (count,) = cursor.fetchone()
    return (count,)


def _act(round: Round) -> tuple[int]:
    return (sum(_batches(round)),)


def _batches(round: Round) -> Iterator[int]:
    """Yield how many rows each batch destroyed."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_MAILBOXES, {"now": round.now})
        mailboxes = [key for (key,) in cursor.fetchall()]
    for mailbox in mailboxes:
        count = BATCH_ROWS
        while count == BATCH_ROWS and not round.stop():
            count = _batch(mailbox, round)
            yield count


@transaction.atomic
def _batch(mailbox: int, round: Round) -> int:
    """Destroy some of a mailbox's rows. Its lock first: a hold or a restore that came before is then seen."""
    which: dict[str, int | datetime] = {"mailbox": mailbox, "now": round.now}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_MAILBOX, which)
        cursor.execute(_DUE_MESSAGES, which)
        due = [key for (key,) in cursor.fetchall()]
    return purge.messages(due) if due else 0


RESTED = Step(("messages",), _look, _act)
