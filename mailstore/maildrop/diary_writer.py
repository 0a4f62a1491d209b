"""Writes the diary: keeps for a moment what sessions did, and writes it in batches. No session waits for it.

A batch is one transaction: rows of the diary, and the messages that devices have got by fetching. A batch that fails is
kept for the next one, within bounds. A batch whose answer was lost is sent again unchanged, and is written only once.
"""

from __future__ import annotations

import logging
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from mailstore.errors import MailError
from mailstore.maildrop import diary_record, diary_rollup
from mailstore.maildrop.diary_record import DiaryEntry
from mailstore.maildrop.diary_rollup import Common, DiaryRollup, RollupRow
from mailstore.pg import array_literals
from mailstore.pg.pipeline import StatementFailed
from mailstore.pg.statement import Parameters, Statement
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.diary import BATCH, CONFIRM, DIARY, ROLL_UP_DIARY, WRITTEN_BEFORE

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

log = logging.getLogger("popadmin.diary")

BATCH_ENTRIES = 500  # sessions in one statement; the next batch follows as soon as this one is written
BATCH_MESSAGES = 5_000  # messages of these sessions in one batch: some 10 ms of one connection
WAITING_ENTRIES = 5_000  # sessions that may wait while Postgres is away; later ones are not recorded
WAITING_MESSAGES = 1_000_000  # messages of the waiting sessions: 8 MB
SORTED_AT_ONCE = 64  # sorting many in a row costs less than sorting each between two sessions
REFUSALS_AT_MOST = 3  # a batch may meet a lock; one that the server refuses so often is given up


@dataclass(frozen=True, slots=True)
class _Batch:
    number: int
    entries: list[DiaryEntry]
    rollup_rows: dict[Common, RollupRow]
    owed: dict[int, array[int]]  # messages of devices whose rows were locked the last time

    def __len__(self) -> int:
        return len(self.entries) + len(self.rollup_rows) + len(self.owed)

    def confirmed(self) -> Iterator[tuple[int, int]]:
        """Yield each device with each message that it has got."""
        for device, messages in self.owed.items():
            for message in messages:
                yield device, message
        for entry in self.entries:
            if entry.origin.device is not None:
                for message in entry.had:
                    yield entry.origin.device, message

    def steps(self, writer: UUID) -> Iterator[tuple[Statement, Parameters]]:
        """Yield the statements. CONFIRM comes last, since its answer is the one of the transaction."""
        yield BATCH, BATCH.values(writer=str(writer).encode(), number=b"%d" % self.number)
        if self.entries:
            yield DIARY, diary_record.diary_parameters(self.entries)
        if self.rollup_rows:
            yield ROLL_UP_DIARY, diary_rollup.rollup_parameters(self.rollup_rows)
        pairs = list(self.confirmed())
        if pairs:
            devices, messages = (array_literals.bigints(column) for column in zip(*pairs, strict=True))
            yield CONFIRM, CONFIRM.values(device_ids=devices, message_ids=messages)


@dataclass(slots=True)
class _Waiting:
    """What no batch has taken yet."""

    entries: deque[DiaryEntry] = field(default_factory=deque)
    messages: int = 0
    owed: dict[int, array[int]] = field(default_factory=dict)


class Diary:
    """The diary of one worker. Call `flush` every second or so, and with `every` at the end."""

    def __init__(self, lanes: ConnectionPool) -> None:
        self._lanes = lanes
        self._unsorted: list[DiaryEntry] = []
        self._waiting = _Waiting()
        self._rollup = DiaryRollup(datetime.now(UTC))
        self._writing = False
        self._every = False
        self._flushed: list[Callable[[], None]] = []
        self._refusals = 0
        self._writer = uuid4()
        self._number = 0
        self._unsure: _Batch | None = None  # its answer was lost, so it may be written or not

    def add(self, entry: DiaryEntry) -> None:
        """Keep one session, or one refused sign-in, for the next batch."""
        self._unsorted.append(entry)
        if len(self._unsorted) >= SORTED_AT_ONCE:
            self._sort()

    def _sort(self) -> None:
        """Sort what came since the last time: sessions without messages are rolled up, others get a row each."""
        unsorted, self._unsorted, waiting = self._unsorted, [], self._waiting
        for entry in unsorted:
            if not entry.messages:
                self._rollup.add(entry)
            elif len(waiting.entries) < WAITING_ENTRIES and waiting.messages + entry.messages <= WAITING_MESSAGES:
                waiting.entries.append(entry)
                waiting.messages += entry.messages

    def flush(self, done: Callable[[], None] = lambda: None, *, every: bool = False) -> None:
        """Write what is due, with `every` all of it. `done` is called once, even if writing failed."""
        self._flushed.append(done)
        self._every = self._every or every
        if not self._writing:
            self._write()

    def _write(self) -> None:
        batch = self._unsure or self._batch()
        self._writing = bool(batch)
        if batch:
            self._lanes.write(tuple(batch.steps(self._writer)), lambda answer: self._written(answer, batch))
        else:
            self._tell_flushed()

    def _batch(self) -> _Batch:
        self._sort()
        waiting, taken, messages = self._waiting, list[DiaryEntry](), 0
        while waiting.entries and len(taken) < BATCH_ENTRIES and messages < BATCH_MESSAGES:
            taken.append(waiting.entries.popleft())
            messages += taken[-1].messages
        waiting.messages -= messages
        owed, waiting.owed = waiting.owed, {}
        every, self._every = self._every, False
        self._number += 1
        return _Batch(self._number, taken, self._rollup.due(datetime.now(UTC), every=every), owed)

    def _written(self, answer: PGresult | MailError, batch: _Batch) -> None:
        self._writing = False
        if isinstance(answer, StatementFailed) and answer.sqlstate == WRITTEN_BEFORE:
            self._owe(
                {device for device, _message in batch.confirmed()}, batch
            )  # which devices were locked then is not known
        elif isinstance(answer, MailError):
            self._take_back(batch, answer)
            self._tell_flushed()
            return
        else:
            self._owe({int(answer.get_value(row, 0) or 0) for row in range(answer.ntuples)}, batch)
        sent_again = self._unsure is not None
        self._refusals, self._unsure = 0, None
        self._rollup.written(batch.rollup_rows)
        if self._every or self._waiting.entries or sent_again:
            self._write()
        else:
            self._tell_flushed()

    def _tell_flushed(self) -> None:
        flushed, self._flushed = self._flushed, []
        for done in flushed:
            done()

    def _owe(self, passed_over: set[int], batch: _Batch) -> None:
        """Keep for the next batch what belongs to devices whose rows were locked."""
        for device, message in batch.confirmed() if passed_over else ():
            if device in passed_over:
                self._waiting.owed.setdefault(device, array("q")).append(message)

    def _take_back(self, batch: _Batch, error: MailError) -> None:
        """Keep a batch that failed: one that the server refused for a new batch, one without an answer as it is.

        Only a refusal is logged here; the connection logs that the server is away.
        """
        if not isinstance(error, StatementFailed):
            self._unsure = batch
            return
        self._unsure = None
        log.error("%d entries of the diary were not written: %s", len(batch), error)
        self._refusals += 1
        if self._refusals == REFUSALS_AT_MOST:
            self._refusals = 0
            return
        self._waiting.entries.extendleft(reversed(batch.entries))
        self._waiting.messages += sum(entry.messages for entry in batch.entries)
        self._waiting.owed = batch.owed
        self._rollup.take_back(batch.rollup_rows)
