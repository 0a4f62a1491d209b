"""Batches of what was found without a lock: each one transaction, judged anew behind its mailboxes' locks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

from django.db import connection, transaction

from mailstore.sql import prepared_statement
from mailstore.sql.tables import REAL, Tables

T = TypeVar("T")

HOLD_SECONDS = 0.02  # deliveries to the mailboxes of a batch wait so long; the goal is that none waits for 0.05 s
ROWS_AT_FIRST = 100
ROWS_AT_LEAST = 20  # a slower machine than this has other sorrows
ROWS_AT_MOST = 500
FOUND_ROWS = 20_000  # found at a time, and then taken batch by batch; a few megabytes of numbers

# Who waits here would hold all the others meanwhile: a mailbox that somebody else works on is the next pass's.
_LOCK = "SELECT id FROM {mailbox} WHERE id = ANY(%(boxes)s) ORDER BY id FOR UPDATE SKIP LOCKED"
# A crash may undo a batch that was not on disk yet: it is due again, and the next pass does it. So nobody has to wait
# for the disk behind the lock.
_IN_NO_HURRY = "SET LOCAL synchronous_commit TO off"


class Pace:
    """How many rows a batch has: as many as this machine does within HOLD_SECONDS, by what the last one took."""

    def __init__(self) -> None:
        self.rows = ROWS_AT_FIRST

    def batches(self, found: Sequence[T]) -> Iterator[Sequence[T]]:
        """Yield what was found in batches; how long the caller needs for one decides on the next."""
        start = 0
        while start < len(found):
            batch = found[start : start + self.rows]
            start += len(batch)
            began = monotonic()
            yield batch
            self.took(len(batch), monotonic() - began)

    def took(self, rows: int, seconds: float) -> None:
        """A batch of so many rows held its locks so long."""
        fitting = int(rows * HOLD_SECONDS / max(seconds, 1e-6))
        self.rows = min(max(fitting, ROWS_AT_LEAST), 2 * self.rows, ROWS_AT_MOST)


@contextmanager
def locked(mailboxes: Sequence[int], tables: Tables = REAL) -> Iterator[list[int]]:
    """Within a transaction behind the locks of those of these mailboxes that are free, and with their keys.

    What is judged there sees all that came before.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_IN_NO_HURRY)
        yield [
            key for (key,) in prepared_statement.fetch(_LOCK.format(mailbox=tables.mailbox), {"boxes": list(mailboxes)})
        ]
