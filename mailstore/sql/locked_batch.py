"""Batches of what was found without a lock. Each is one transaction, judged again behind its mailboxes' locks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

from django.db import connection, transaction

from mailstore.sql import prepared_statement
from mailstore.sql.django_statement import django_statement
from mailstore.sql.tables import REAL, Tables

T = TypeVar("T")

HOLD_SECONDS = 0.02  # how long deliveries to the mailboxes of a batch wait; none should wait for 0.05 s
ROWS_AT_FIRST = 100
ROWS_AT_LEAST = 20  # also on a slow machine
ROWS_AT_MOST = 500
FOUND_ROWS = 20_000  # found at a time, and then taken batch by batch; a few megabytes of numbers

LOCK_FREE = django_statement(
    "lock_free",
    lambda tables: f"SELECT id FROM {tables.mailbox} WHERE id = ANY(%(boxes)s) ORDER BY id FOR UPDATE SKIP LOCKED",
    purpose="""Locks those mailboxes of a batch that nobody else has locked, and returns their keys. The others wait for
        the next pass: to wait for one here would hold the locks of the rest.""",
    caller="sql/locked_batch.py, first in the transaction of a batch",
    parameters={"boxes": "the mailboxes of the batch (bigint[])"},
    locks="the mailboxes' rows, in the order of their keys",
    round_trips="1",
)
# A crash may undo a batch that was not on disk yet; it is due again, and the next pass does it. So the batch does not
# wait for the disk behind its locks.
_IN_NO_HURRY = "SET LOCAL synchronous_commit TO off"


class Pace:
    """How many rows a batch has: as many as this machine does within HOLD_SECONDS, judged by the last batch."""

    def __init__(self) -> None:
        self.rows = ROWS_AT_FIRST

    def batches(self, found: Sequence[T]) -> Iterator[Sequence[T]]:
        """Yield what was found in batches; how long the caller needs for one decides on the size of the next."""
        start = 0
        while start < len(found):
            batch = found[start : start + self.rows]
            start += len(batch)
            began = monotonic()
            yield batch
            self.took(len(batch), monotonic() - began)

    def took(self, rows: int, seconds: float) -> None:
        """Note that a batch of so many rows held its locks so many seconds."""
        fitting = int(rows * HOLD_SECONDS / max(seconds, 1e-6))
        self.rows = min(max(fitting, ROWS_AT_LEAST), 2 * self.rows, ROWS_AT_MOST)


@contextmanager
def locked(mailboxes: Sequence[int], tables: Tables = REAL) -> Iterator[list[int]]:
    """Open a transaction that locks those of the mailboxes that are free, and give their keys.

    A statement within it sees all that was committed before the locks.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_IN_NO_HURRY)
        yield [key for (key,) in prepared_statement.fetch(LOCK_FREE.on(tables), {"boxes": list(mailboxes)})]
