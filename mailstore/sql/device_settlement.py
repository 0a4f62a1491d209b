"""What follows when a device counts no more: mail that waited for it alone moves into recovery, a batch at a time.

A message leaves when it is hidden from every device that still counts, and one of them at least deleted it. A message
that all of them left out by their starts stays: none of them ever saw it. Where no device counts, nothing leaves.
`settle` does so for the mailboxes of a change, the step SETTLE for what was left over anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache, partial
from time import monotonic

from django.db import connection, transaction
from django.utils import timezone

from mailstore.sql import prepared_statement
from mailstore.sql.device_coverage import between
from mailstore.sql.django_statement import django_statement
from mailstore.sql.locked_batch import FOUND_ROWS, Pace, locked
from mailstore.sql.statements.removal import leaving
from mailstore.sql.statements.view import counts
from mailstore.sql.sweep_step import Step, SweepContext, windows
from mailstore.sql.tables import REAL, Tables

PATIENCE_SECONDS = 10.0  # of the person who waits for the answer; no view shows what is left over, so it may wait


def _boxes(part: str = "", *, tables: Tables) -> str:
    """Return SQL of two CTEs: what all devices of some mailboxes that count have done with.

    A view that hides nothing which is there still waits for all of it, so most mailboxes cost a look at their devices.
    `part` is as in `device_coverage.one_has`.
    """
    return f"""
    counting AS MATERIALIZED (
        SELECT box.id AS mailbox, d.hidden {part} AS hidden, d.hidden {part} - d.skipped AS deleted
          FROM {tables.mailbox} box JOIN {tables.device} d ON {counts(device="d", mailbox="box")}
         WHERE box.id = ANY(%(boxes)s) AND box.removed_at IS NULL
           AND NOT EXISTS (SELECT FROM {tables.device} d_waiting
                            WHERE {counts(device="d_waiting", mailbox="box")} AND d_waiting.hidden_messages = 0)),
    boxes AS MATERIALIZED (
        SELECT counting.mailbox AS id, range_intersect_agg(counting.hidden) * (
                   SELECT range_agg(one) FROM counting AS other, unnest(other.deleted) AS one
                    WHERE other.mailbox = counting.mailbox) AS done
          FROM counting GROUP BY counting.mailbox)"""


_DONE = "m.mailbox_id = boxes.id AND m.removed IS NULL AND boxes.done @> m.added"


@cache
def _finding(tables: Tables) -> str:
    return f"""
WITH {_boxes(tables=tables)}
SELECT m.mailbox_id, m.added FROM boxes JOIN {tables.message} m ON {_DONE}
 WHERE (m.mailbox_id, m.added) > (%(mailbox)s, %(added)s) ORDER BY m.mailbox_id, m.added LIMIT {FOUND_ROWS}
"""


@cache
def _settling(tables: Tables) -> str:
    """Return SQL that checks again behind the locks. A device may have come since, or may count again."""
    return leaving(
        f"""
        WITH {_boxes(between("%(first)s", "%(last)s"), tables=tables)}
        UPDATE {tables.message} m
           SET removed = box.change + 1, removed_at = %(moment)s, removed_why = 'settled'
          FROM {tables.mailbox} box, (
               SELECT m.id, m.mailbox_id
                 FROM unnest(%(mailboxes)s::bigint[], %(arrivals)s::bigint[]) AS found (mailbox, added)
                 JOIN {tables.message} m
                   ON m.mailbox_id = found.mailbox AND m.added = found.added AND m.removed IS NULL
                 JOIN boxes ON boxes.id = m.mailbox_id AND boxes.done @> m.added) AS judged
         WHERE m.id = judged.id AND box.id = judged.mailbox_id AND m.removed IS NULL
     RETURNING m.mailbox_id, m.added, m.octets""",
        of="= ANY(%(boxes)s)",
        answer="SELECT count(*) FROM gone",
        tables=tables,
    )


FIND_SETTLED = django_statement(
    "find_settled",
    _finding,
    purpose="""Finds live messages that every counting device of their mailbox has deleted or left out, without a
        lock.""",
    caller="sql/device_settlement.py",
    parameters={
        "boxes": "the mailboxes (bigint[])",
        "mailbox": "the mailbox of the last message that was found before",
        "added": "the arrival number of that message",
    },
    locks="none",
    round_trips=f"1 for each {FOUND_ROWS} messages",
)
SETTLE_BATCH = django_statement(
    "settle_batch",
    _settling,
    purpose="Moves the messages of a batch that no counting device waits for, still, into recovery.",
    caller="sql/device_settlement.py",
    parameters={
        "first": "the lowest arrival number of the batch",
        "last": "the highest one",
        "boxes": "the mailboxes of the batch that were free, and are locked now (bigint[])",
        "moment": "the present time, to record",
        "mailboxes": "the mailbox of each message of the batch (bigint[])",
        "arrivals": "its arrival number (bigint[])",
    },
    locks="the messages' rows, and the rows of devices that had hidden some of them",
    round_trips="1 for each batch, behind the lock of its mailboxes",
)

_WHERE = f"""
WITH {_boxes(tables=REAL)}
SELECT boxes.id FROM boxes WHERE EXISTS (SELECT FROM mailstore_message m WHERE {_DONE})
"""

Found = tuple[int, int]  # mailbox and arrival number


def let_go(
    mailboxes: Sequence[int],
    *,
    moment: Callable[[], datetime],
    stop: Callable[[], bool],
    pace: Pace,
    tables: Tables = REAL,
) -> int:
    """Move what is due in these mailboxes until `stop` returns True; returns how many messages. The rest stays due."""
    gone = 0
    found: list[Found] = [(0, 0)]
    while found and not stop():
        found = _find(mailboxes, found[-1], tables)
        for batch in pace.batches(found):
            if not stop():
                gone += _settle(batch, moment, tables)
    return gone


def _find(mailboxes: Sequence[int], after: Found, tables: Tables) -> list[Found]:
    mailbox, added = after
    return prepared_statement.fetch(
        FIND_SETTLED.on(tables), {"boxes": list(mailboxes), "mailbox": mailbox, "added": added}
    )


def _settle(batch: Sequence[Found], moment: Callable[[], datetime], tables: Tables) -> int:
    mailboxes, arrivals = [mailbox for mailbox, _added in batch], [added for _mailbox, added in batch]
    found = {"mailboxes": mailboxes, "arrivals": arrivals, "first": min(arrivals), "last": max(arrivals)}
    with locked(sorted(set(mailboxes)), tables) as free:
        ((count,),) = prepared_statement.fetch(SETTLE_BATCH.on(tables), {"boxes": free, "moment": moment(), **found})
    return int(count)


def settle(mailboxes: Sequence[int]) -> None:
    """Move mail that every device which still counts has deleted in these mailboxes, once this is committed.

    Call it in the transaction that ended a device's count. What PATIENCE_SECONDS or a kill leaves over, the next sweep
    does.
    """
    if mailboxes:
        transaction.on_commit(partial(_settle_soon, list(mailboxes)), robust=True)


def _settle_soon(mailboxes: list[int]) -> None:
    until = monotonic() + PATIENCE_SECONDS
    let_go(mailboxes, moment=timezone.now, stop=lambda: monotonic() > until, pace=Pace())


def _coupled(context: SweepContext) -> Iterator[int]:
    for keys in windows(context):
        with connection.cursor() as cursor:
            cursor.execute(_WHERE, {"boxes": keys})
            yield from (key for (key,) in cursor.fetchall())


def _act(context: SweepContext) -> tuple[int]:
    """Move what is due in any mailbox."""
    settle = partial(let_go, moment=context.moment, stop=context.stop, pace=Pace(), tables=context.tables)
    return (sum(settle(keys) for keys in windows(context)),)


SETTLE = Step(("settled",), None, _act, coupled=_coupled, on_copies=_act)
