"""The step that forgets sessions of the diary which are older than the mailbox's policy says.

Mailboxes that are on hold or removed keep theirs. The earlier stays of messages that were restored as long ago go too:
no session of their time is left.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from mailstore.sql.policy_source import followed
from mailstore.sql.sweep_step import Step, SweepContext, windows

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
# They stay a day in any case: a session that opened within such a stay may still list it.
_FORGET_STAYS = f"""
DELETE FROM mailstore_earlierstay e USING {_KEPT}
   AND e.mailbox_id = box.id AND e.restored_at < least(since.at, %(now)s - interval '1 day')
"""

# The rows of workers that have ended, or have written nothing for a day.
_FORGET_BATCHES = "DELETE FROM mailstore_diarybatch WHERE written_at < %(now)s::timestamptz - interval '1 day'"


def _look(context: SweepContext) -> tuple[int]:
    return (sum(_each_window(context, _COUNT)),)


def _act(context: SweepContext) -> tuple[int]:
    forgotten = sum(_each_window(context, _FORGET))
    for _stays in _each_window(context, _FORGET_STAYS):
        pass
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_BATCHES, {"now": context.now})
    return (forgotten,)


def _each_window(context: SweepContext, statement: str) -> Iterator[int]:
    for keys in windows(context):
        with connection.cursor() as cursor:
            cursor.execute(statement, {"boxes": keys, "now": context.now})
            yield cursor.fetchone()[0] if cursor.description else cursor.rowcount


DIARY = Step(("diary",), _look, _act)
