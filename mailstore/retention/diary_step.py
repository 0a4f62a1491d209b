"""Forgets what the diary has kept for as long as the mailbox's policy says; nothing of one that is held or rests.

With it go the earlier stays of messages that were restored so long ago: there is nothing more to tell of their time.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from mailstore.sql.mailbox_window import windows
from mailstore.sql.policy_source import followed
from mailstore.sql.sweep_step import Step, SweepContext

DIARY_DAYS = 90  # where no policy says otherwise

_KEPT = f"""
  mailstore_mailbox box
  JOIN mailstore_domain dom ON dom.id = box.domain_id
  LEFT JOIN mailstore_retentionpolicy p ON {followed()}
 CROSS JOIN LATERAL (SELECT %(now)s - make_interval(days => coalesce(p.diary_days, {DIARY_DAYS})) AS at) AS since
 WHERE box.id = ANY(%(boxes)s) AND NOT box.held AND box.removed_at IS NULL
"""
# A row ends after it began, so the index by beginnings finds what is old.
_OF_OLD = f"{_KEPT} AND s.mailbox_id = box.id AND s.started_at < since.at AND s.ended_at < since.at"
_COUNT = f"SELECT count(*) FROM mailstore_diarysession s WHERE EXISTS (SELECT FROM {_OF_OLD})"
_FORGET = f"DELETE FROM mailstore_diarysession s USING {_OF_OLD}"
# A day in any case: a session that opened within such a stay may still list it.
_FORGET_STAYS = f"""
DELETE FROM mailstore_earlierstay e USING {_KEPT}
   AND e.mailbox_id = box.id AND e.restored_at < least(since.at, %(now)s - interval '1 day')
"""

# Of workers that have ended, or have had nothing to tell for a day.
_FORGET_BATCHES = "DELETE FROM mailstore_diarybatch WHERE written_at < %(now)s::timestamptz - interval '1 day'"


def _look(round: SweepContext) -> tuple[int]:
    return (sum(_each_window(round, _COUNT)),)


def _act(round: SweepContext) -> tuple[int]:
    forgotten = sum(_each_window(round, _FORGET))
    for _stays in _each_window(round, _FORGET_STAYS):
        pass
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_BATCHES, {"now": round.now})
    return (forgotten,)


def _each_window(round: SweepContext, statement: str) -> Iterator[int]:
    for keys in windows(round):
        with connection.cursor() as cursor:
            cursor.execute(statement, {"boxes": keys, "now": round.now})
            yield cursor.fetchone()[0] if cursor.description else cursor.rowcount


DIARY = Step(("diary",), _look, _act)
