"""The step that moves expired mail into recovery, a batch of messages at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from django.db import connection

from mailstore.sql import expiry_rule, prepared_statement
from mailstore.sql.device_coverage import between
from mailstore.sql.django_statement import django_statement
from mailstore.sql.expiry_rule import due
from mailstore.sql.locked_batch import FOUND_ROWS, Pace, locked
from mailstore.sql.statements.removal import leaving
from mailstore.sql.sweep_step import Step, SweepContext, windows
from mailstore.sql.tables import Tables

_COUNT = f"""
WITH {expiry_rule.boxes("box.id <> ALL(%(but)s::bigint[])")}
SELECT count(*), coalesce(sum(m.octets), 0)::bigint
  FROM boxes JOIN mailstore_message m ON m.mailbox_id = boxes.id AND m.removed IS NULL {due()}
 WHERE due.at <= %(now)s
"""


@cache
def _finding(tables: Tables) -> str:
    return f"""
WITH {expiry_rule.boxes("box.id = ANY(%(boxes)s) AND box.id >= %(mailbox)s", tables=tables)}
SELECT m.mailbox_id, m.added
  FROM boxes JOIN {tables.message} m ON m.mailbox_id = boxes.id AND m.removed IS NULL {due()}
 WHERE due.at <= %(now)s AND (m.mailbox_id, m.added) > (%(mailbox)s, %(added)s)
 ORDER BY m.mailbox_id, m.added LIMIT {FOUND_ROWS}
"""


@cache
def _expiring(tables: Tables) -> str:
    """Return SQL that checks again behind the locks. A hold, a policy or a device may have come since."""
    return leaving(
        f"""
        WITH {expiry_rule.boxes("box.id = ANY(%(boxes)s)", part=between("%(first)s", "%(last)s"), tables=tables)}
        UPDATE {tables.message} m
           SET removed = box.change + 1, removed_at = %(moment)s, removed_why = judged.why
          FROM {tables.mailbox} box, (
               SELECT m.id, m.mailbox_id, due.why
                 FROM unnest(%(mailboxes)s::bigint[], %(arrivals)s::bigint[]) AS found (mailbox, added)
                 JOIN {tables.message} m
                   ON m.mailbox_id = found.mailbox AND m.added = found.added AND m.removed IS NULL
                 JOIN boxes ON boxes.id = m.mailbox_id {due()}
                WHERE due.at <= %(now)s) AS judged
         WHERE m.id = judged.id AND box.id = judged.mailbox_id AND m.removed IS NULL
     RETURNING m.mailbox_id, m.added, m.octets""",
        of="= ANY(%(boxes)s)",
        answer="SELECT count(*), coalesce(sum(octets), 0)::bigint FROM gone",
        tables=tables,
    )


FIND_EXPIRED = django_statement(
    "find_expired",
    _finding,
    purpose="Finds live messages of some mailboxes that are due by their policy, without a lock.",
    caller="retention/expiry_step.py",
    parameters={
        "boxes": "the mailboxes of a window (bigint[])",
        "mailbox": "the mailbox of the last message that was found before",
        "added": "the arrival number of that message",
        "now": "the time of the pass",
    },
    locks="none",
    round_trips=f"1 for each {FOUND_ROWS} messages of a window",
)
EXPIRE = django_statement(
    "expire",
    _expiring,
    purpose="Moves the messages of a batch that are still due into recovery.",
    caller="retention/expiry_step.py",
    parameters={
        "boxes": "the mailboxes of the batch that were free, and are locked now (bigint[])",
        "first": "the lowest arrival number of the batch",
        "last": "the highest one",
        "moment": "the present time, to record",
        "mailboxes": "the mailbox of each message of the batch (bigint[])",
        "arrivals": "its arrival number (bigint[])",
        "now": "the time of the pass, which decides what is due",
    },
    locks="the messages' rows, and the rows of devices that had hidden some of them",
    round_trips="1 for each batch, behind the lock of its mailboxes",
)

Found = tuple[int, int]  # mailbox and arrival number


def _counts(context: SweepContext) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"now": context.now, "but": list(context.but)})
        messages, octets = cursor.fetchone()
    return messages, octets


def _act(context: SweepContext) -> tuple[int, int]:
    messages = octets = 0
    for batch in _batches(context):
        count, size = _expire(batch, context)
        messages += count
        octets += size
    return messages, octets


def _batches(context: SweepContext) -> Iterator[Sequence[Found]]:
    pace = Pace()
    for keys in windows(context):
        found: list[Found] = [(0, 0)]
        while found and not context.stop():
            found = _find(keys, found[-1], context)
            for batch in pace.batches(found):
                if not context.stop():
                    yield batch


def _find(keys: list[int], after: Found, context: SweepContext) -> list[Found]:
    mailbox, added = after
    return prepared_statement.fetch(
        FIND_EXPIRED.on(context.tables), {"boxes": keys, "mailbox": mailbox, "added": added, "now": context.now}
    )


def _expire(batch: Sequence[Found], context: SweepContext) -> Found:
    mailboxes, arrivals = [mailbox for mailbox, _added in batch], [added for _mailbox, added in batch]
    found = {"mailboxes": mailboxes, "arrivals": arrivals, "first": min(arrivals), "last": max(arrivals)}
    with locked(sorted(set(mailboxes)), context.tables) as free:
        ((count, octets),) = prepared_statement.fetch(
            EXPIRE.on(context.tables), {"boxes": free, "now": context.now, "moment": context.moment(), **found}
        )
    return count, octets


EXPIRY = Step(("expired", "expired_octets"), _counts, _act, on_copies=_act)
