"""Lets go what waited only for devices that count no more, into recovery, a batch of messages at a time.

What is hidden from all who still count, and deleted by one of them at least. What all of them left out by their starts
is nobody's to remove: none of them ever saw it. With nobody left who counts, nothing leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from django.db import connection

from mailstore.sql import prepared_statement
from mailstore.sql.device_coverage import between
from mailstore.sql.locked_batch import FOUND_ROWS, Pace, locked
from mailstore.sql.mailbox_window import windows
from mailstore.sql.statements.removal import leaving
from mailstore.sql.statements.view import counts
from mailstore.sql.sweep_step import Step, SweepContext


def _boxes(part: str = "") -> str:
    """SQL of two CTEs: of mailboxes what all who count have done with; `part` as in `possession.one_has`.

    A view that hides nothing which is there still waits for all of it, so most mailboxes cost a look at their devices.
    """
    return f"""
    counting AS MATERIALIZED (
        SELECT box.id AS mailbox, d.hidden {part} AS hidden, d.hidden {part} - d.skipped AS deleted
          FROM mailstore_mailbox box JOIN mailstore_device d ON {counts(device="d", mailbox="box")}
         WHERE box.id = ANY(%(boxes)s) AND box.removed_at IS NULL
           AND NOT EXISTS (SELECT FROM mailstore_device d_waiting
                            WHERE {counts(device="d_waiting", mailbox="box")} AND d_waiting.hidden_messages = 0)),
    boxes AS MATERIALIZED (
        SELECT c.mailbox AS id, range_intersect_agg(c.hidden) * (
                   SELECT range_agg(one) FROM counting d, unnest(d.deleted) AS one WHERE d.mailbox = c.mailbox) AS done
          FROM counting c GROUP BY c.mailbox)"""


_DONE = "m.mailbox_id = boxes.id AND m.removed IS NULL AND boxes.done @> m.added"
_FIND = f"""
WITH {_boxes()}
SELECT m.mailbox_id, m.added FROM boxes JOIN mailstore_message m ON {_DONE}
 WHERE (m.mailbox_id, m.added) > (%(mailbox)s, %(added)s) ORDER BY m.mailbox_id, m.added LIMIT {FOUND_ROWS}
"""
_WHERE = f"WITH {_boxes()} SELECT boxes.id FROM boxes WHERE EXISTS (SELECT FROM mailstore_message m WHERE {_DONE})"
# Judged anew behind the locks: a device that came or counts again meanwhile is seen.
_SETTLE = leaving(
    f"""
        WITH {_boxes(between("%(first)s", "%(last)s"))}
        UPDATE mailstore_message m
           SET removed = box.change + 1, removed_at = %(moment)s, removed_why = 'settled'
          FROM mailstore_mailbox box, (
               SELECT m.id, m.mailbox_id
                 FROM unnest(%(mailboxes)s::bigint[], %(numbers)s::bigint[]) AS found (mailbox, added)
                 JOIN mailstore_message m
                   ON m.mailbox_id = found.mailbox AND m.added = found.added AND m.removed IS NULL
                 JOIN boxes ON boxes.id = m.mailbox_id AND boxes.done @> m.added) AS judged
         WHERE m.id = judged.id AND box.id = judged.mailbox_id AND m.removed IS NULL
     RETURNING m.mailbox_id, m.added, m.octets""",
    of="= ANY(%(boxes)s)",
    answer="SELECT count(*) FROM gone",
)

Found = tuple[int, int]  # mailbox and arrival number


def let_go(mailboxes: Sequence[int], *, moment: Callable[[], datetime], stop: Callable[[], bool], pace: Pace) -> int:
    """Let go what is due in these mailboxes, until `stop` says so; returns how many messages. The rest is due again."""
    gone = 0
    found: list[Found] = [(0, 0)]
    while found and not stop():
        found = _find(mailboxes, found[-1])
        for batch in pace.batches(found):
            if not stop():
                gone += _settle(batch, moment)
    return gone


def _find(mailboxes: Sequence[int], after: Found) -> list[Found]:
    mailbox, added = after
    return prepared_statement.fetch(_FIND, {"boxes": list(mailboxes), "mailbox": mailbox, "added": added})


def _settle(batch: Sequence[Found], moment: Callable[[], datetime]) -> int:
    mailboxes, numbers = [mailbox for mailbox, _added in batch], [added for _mailbox, added in batch]
    found = {"mailboxes": mailboxes, "numbers": numbers, "first": min(numbers), "last": max(numbers)}
    with locked(sorted(set(mailboxes))) as free:
        ((count,),) = prepared_statement.fetch(_SETTLE, {"boxes": free, "moment": moment(), **found})
    return int(count)


def _sways(round: SweepContext) -> Iterator[int]:
    for keys in windows(round):
        with connection.cursor() as cursor:
            cursor.execute(_WHERE, {"boxes": keys})
            yield from (key for (key,) in cursor.fetchall())


def _act(round: SweepContext) -> tuple[int]:
    """Let go what is due anywhere."""
    pace = Pace()
    return (sum(let_go(keys, moment=round.moment, stop=round.stop, pace=pace) for keys in windows(round)),)


SETTLE = Step(("settled",), None, _act, sways=_sways, copied=_act)
