"""The step that destroys messages after their time in recovery: the rows now, the bodies a day later.

`Purge` destroys rows in recovery that are due for any reason. The step for the cap uses it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from django.db import connection

from mailstore.directory import message_purge
from mailstore.sql import prepared_statement
from mailstore.sql.locked_batch import FOUND_ROWS, ROWS_AT_MOST, Pace, locked
from mailstore.sql.policy_source import chosen_at, followed
from mailstore.sql.sweep_step import Step, SweepContext, windows
from mailstore.sql.tables import REAL, Tables


@dataclass(frozen=True, slots=True)
class Purge:
    """Destroys the rows that `due` selects.

    `due` is SQL from FROM on: rows m (id, mailbox_id, removed) of mailboxes %(boxes)s that are due at %(now)s. It may
    select only the first rows of a mailbox: it runs again until nothing is due.
    """

    due: str
    _find: str = field(init=False)
    _check: str = field(init=False)

    def __post_init__(self) -> None:
        find = f"SELECT m.mailbox_id, m.id {self.due} ORDER BY m.mailbox_id, m.removed LIMIT {FOUND_ROWS}"
        object.__setattr__(self, "_find", find)
        object.__setattr__(self, "_check", f"SELECT m.id {self.due} AND m.id = ANY(%(messages)s)")

    def act(self, context: SweepContext) -> tuple[int]:
        """Destroy all that is due; return how many."""
        return (sum(self._purged(context)),)

    def _purged(self, context: SweepContext) -> Iterator[int]:
        """Yield how many rows were destroyed, some thousands at a time."""
        pace = Pace()
        for keys in windows(context):
            count = 1
            while count and not context.stop():
                count = self._some_of(keys, pace, context)
                yield count

    def _some_of(self, keys: Sequence[int], pace: Pace, context: SweepContext) -> int:
        found = prepared_statement.fetch(self._find, {"boxes": list(keys), "now": context.now})
        return sum(self._purge(batch, context) for batch in pace.batches(found) if not context.stop())

    def _purge(self, batch: Sequence[tuple[int, int]], context: SweepContext) -> int:
        """Check the batch again behind the locks, and destroy it. Mail may have been restored or held since."""
        boxes = sorted({mailbox for mailbox, _message in batch})
        messages = [message for _mailbox, message in batch]
        with locked(boxes, context.tables) as free:
            due = prepared_statement.fetch(self._check, {"boxes": free, "messages": messages, "now": context.now})
            return message_purge.messages([key for (key,) in due], context.tables) if due else 0


RECOVERY_DAYS = 30  # where no policy says otherwise


def due(which: str, limit: str = "ALL", *, tables: Tables = REAL) -> str:
    """Return SQL from FROM on: rows m that were in recovery long enough, of the mailboxes box that `which` picks.

    Rows stay a day even if the policy says 0: a session that opened before may still fetch them. What left first is due
    first, so for most mailboxes one row is read. `limit` is how many rows of a mailbox are read.
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


def _counts(context: SweepContext) -> tuple[int]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"now": context.now, "but": list(context.but)})
        (count,) = cursor.fetchone()
    return (count,)


@cache
def _purge(tables: Tables) -> Purge:
    return Purge(due("box.id = ANY(%(boxes)s)", str(ROWS_AT_MOST), tables=tables))


def _act(context: SweepContext) -> tuple[int]:
    return _purge(context.tables).act(context)


RECOVERY = Step(("messages",), _counts, _act, on_copies=_act)
