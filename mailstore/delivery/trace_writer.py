"""Writes the trace: keeps for a moment what senders were answered, and writes it in batches. No session waits for it.

A batch that fails is kept for the next time. A batch whose answer was lost is sent again unchanged, and is written only
once. What finds no room while the database is away is counted, and the count becomes a row.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from mailstore.delivery import trace_row
from mailstore.delivery.trace_row import FoldRooms, TraceRow
from mailstore.errors import MailError
from mailstore.models import TraceEntry
from mailstore.pg.pipeline import StatementFailed, Steps
from mailstore.ports import Answer
from mailstore.ports.trace import Unfit
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.diary import BATCH, WRITTEN_BEFORE
from mailstore.sql.statements.trace import TRACE

log = logging.getLogger("popadmin.trace")

BATCH_ROWS = 500  # of one statement, some 20 ms of one connection; the next batch follows at once
WAITING_ROWS = 5_000  # while Postgres is away, some 5 MB; later answers are only counted
REFUSALS_AT_MOST = 3  # a batch that the server refuses so often is given up


@dataclass(frozen=True, slots=True)
class _Batch:
    number: int
    rows: list[TraceRow]


class TraceWriter:
    """ports.Trace of one worker. Call `flush` every second or so, and at the end."""

    def __init__(self, lanes: ConnectionPool, *, waiting_rows: int = WAITING_ROWS) -> None:
        self._lanes = lanes
        self._waiting_rows = waiting_rows
        self._waiting: deque[TraceRow] = deque()
        self._folded: dict[bytes, TraceRow] = {}  # those that wait, by their fold key
        self._rooms = FoldRooms()
        self._unrecorded: TraceRow | None = None
        self._writing = False
        self._flushed: list[Callable[[], None]] = []
        self._refusals = 0
        self._writer = str(uuid4()).encode()
        self._number = 0
        self._unwritten: _Batch | None = None  # failed, or its answer was lost: it goes again as it is

    def answered(self, answer: Answer) -> None:
        """Keep one answer for the next batch."""
        row = trace_row.row(answer, datetime.now(UTC), self._rooms)
        folded = self._folded.get(row.fold_key) if row.fold_key else None
        if folded is not None:
            folded.tries += 1
            folded.at = row.at
        elif len(self._waiting) < self._waiting_rows:
            self._waiting.append(row)
            if row.fold_key:
                self._folded[row.fold_key] = row
        else:
            self._leave_out(row)

    def flush(self, done: Callable[[], None] = lambda: None) -> None:
        """Write all that waits. `done` is called once, even if writing failed."""
        self._flushed.append(done)
        if not self._writing:
            self._write(counts_alone=True)

    def _write(self, *, counts_alone: bool = False) -> None:
        batch = self._unwritten or self._batch(counts_alone=counts_alone)
        if batch is None:
            flushed, self._flushed = self._flushed, []
            for done in flushed:
                done()
            return
        self._writing = True
        self._lanes.write(self._steps(batch), lambda answer: self._written(answer, batch))

    def _batch(self, *, counts_alone: bool) -> _Batch | None:
        """Return the next rows. The count of what was left out goes with others, and alone once a flush at most."""
        rows = [self._waiting.popleft() for _ in range(min(BATCH_ROWS, len(self._waiting)))]
        for row in rows:
            if row.fold_key:
                del self._folded[row.fold_key]
        if self._unrecorded is not None and (rows or counts_alone):
            rows.append(self._unrecorded)
            self._unrecorded = None
        self._number += bool(rows)
        return _Batch(self._number, rows) if rows else None

    def _steps(self, batch: _Batch) -> Steps:
        return (
            (BATCH, BATCH.values(writer=self._writer, number=b"%d" % batch.number)),
            (TRACE, trace_row.parameters(batch.rows)),
        )

    def _written(self, answer: object, batch: _Batch) -> None:
        self._writing = False
        if isinstance(answer, MailError) and not _is_written_before(answer) and self._keeps(batch, answer):
            self._unwritten = batch
            flushed, self._flushed = self._flushed, []
            for done in flushed:
                done()
            return
        self._unwritten, self._refusals = None, 0
        self._write()

    def _keeps(self, batch: _Batch, error: MailError) -> bool:
        """Return whether the batch is tried again. Only a refusal is logged here, an outage by the connection."""
        if not isinstance(error, StatementFailed):
            return True
        log.error("%d rows of the trace were not written: %s", len(batch.rows), error)
        self._refusals += 1
        if self._refusals < REFUSALS_AT_MOST:
            return True
        for row in batch.rows:
            self._leave_out(row)
        return False

    def _leave_out(self, row: TraceRow) -> None:
        """Count an answer that is not recorded, in a row of its own."""
        if self._unrecorded is None:
            log.error("answers to senders are not recorded: too many wait for the database")
            self._unrecorded = _count_row(row)
        else:
            self._unrecorded.tries += row.tries
            self._unrecorded.at = max(self._unrecorded.at, row.at)


def _is_written_before(error: MailError) -> bool:
    return isinstance(error, StatementFailed) and error.sqlstate == WRITTEN_BEFORE


def _count_row(row: TraceRow) -> TraceRow:
    answer = Answer(row.answer.source, "", "", "", Unfit.MANY, "")
    return TraceRow(
        row.at, row.first_at, answer, TraceEntry.Answer.UNRECORDED, "", "", "", "", "", (), None, row.tries
    )  # fmt: skip
