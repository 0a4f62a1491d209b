"""Makes imported messages durable: their bodies together, then their rows in one transaction, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import cycle
from typing import TYPE_CHECKING, TypeVar

from mailstore import bodies
from mailstore.conf import Conf
from mailstore.delivery import one_off
from mailstore.delivery.body_committer import BodyCommitter
from mailstore.delivery.message_writer import body_values, fresh_id
from mailstore.errors import MailError
from mailstore.pg import array_literals
from mailstore.pg.pipeline import StatementFailed
from mailstore.pg.statement import Parameters
from mailstore.ports import BodyRef, BodyStore, Done, Draft
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.delivery import DELIVER_ALL
from mailstore.transfer import spent_uidls

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

T = TypeVar("T")

UNIQUE_VIOLATION = "23505"
COMMITTERS = 4  # each waits for the disk with one fsync after another; the disk does those of several at once


class Outcome(Enum):
    """What became of a message."""

    IMPORTED = "imported"
    PRESENT = "another import of the same source wrote it first"
    UIDL_TAKEN = "another message has its UIDL, so it has no row"


@dataclass(frozen=True, slots=True)
class ImportedMessage:
    """A message whose body is durable. `uidl` is the one to keep; None means a new one."""

    ref: BodyRef
    source: bytes
    arrived_at: datetime | None
    uidl: str | None
    content: bytes


class ImportWriter:
    """Writes into one mailbox, on one lane: a transaction for each batch."""

    def __init__(self, lanes: ConnectionPool, store: BodyStore, mailbox: int, place: bytes) -> None:
        self._lanes = lanes
        self._store = store
        self._mailbox = mailbox
        self._place = place
        self._committers = [BodyCommitter(store) for _ in range(COMMITTERS)]
        self._turns = cycle(self._committers)

    def begin(self) -> Draft:
        """Begin a body. Raises Unavailable and StorageFull."""
        return self._store.begin()

    async def store(self, draft: Draft, octets: int) -> BodyRef:
        """Make a body durable, together with others that wait. Raises Unavailable and StorageFull."""
        ref: BodyRef | MailError = await one_off.answer(lambda done: next(self._turns).add(draft, octets, done))
        return _checked(ref)

    async def place(self, messages: Sequence[ImportedMessage]) -> list[Outcome]:
        """Write the rows in this order: all in one transaction, or each in its own after an error. Unavailable."""
        if not messages:
            return []
        steps = [(DELIVER_ALL, self._parameters(message)) for message in messages]
        answers: list[PGresult] | MailError = await one_off.answer(lambda done: self._lanes.write_each(steps, done))
        if isinstance(answers, StatementFailed) and answers.sqlstate == UNIQUE_VIOLATION:
            if len(messages) == 1:
                return [Outcome.UIDL_TAKEN]
            return [outcome for message in messages for outcome in await self.place([message])]
        placed = [Outcome.IMPORTED if answer.ntuples else Outcome.PRESENT for answer in _checked(answers)]
        for message, outcome in zip(messages, placed, strict=True):
            if outcome is Outcome.PRESENT:
                self._committers[0].discard(message.ref.key)
        return placed

    def close(self) -> None:
        """End the threads after they have done what waits."""
        for committer in self._committers:
            committer.close()

    def _parameters(self, message: ImportedMessage) -> Parameters:
        return DELIVER_ALL.values(
            mailbox_ids=array_literals.bigints([self._mailbox]),
            octets=b"%d" % message.ref.octets,
            body_id=None,
            **body_values(message.ref),
            prefix=b"",
            uidls=array_literals.texts([message.uidl or fresh_id()]),
            arrived_at=message.arrived_at.isoformat().encode() if message.arrived_at else None,
            unlimited=b"t",
            source=message.source,
            quota_domain_ids=array_literals.bigints([]),
            uidl_digest=None if message.uidl is None else spent_uidls.digest(message.uidl),
            place_digest=self._place,
            content_digest=message.content,
        )


@contextmanager
def writer_on(runner: asyncio.Runner, conf: Conf, mailbox: int, place: bytes) -> Iterator[ImportWriter]:
    """Return a context with a writer on the loop of `runner`, for code that uses the ORM between two runs of it.

    `place` is the digest of where the messages come from.
    """
    lanes, store = ConnectionPool(conf.conninfo, write_lanes=1), bodies.from_url(conf.mail_store_url)

    def ready(done: Done[BodyStore]) -> None:
        one_off.prepare(store, lanes, lambda: done(store))

    async def opened() -> ImportWriter:
        await lanes.open()
        await one_off.answer(ready)
        return ImportWriter(lanes, store, mailbox, place)

    async def close() -> None:
        lanes.close()

    writer = runner.run(opened())
    try:
        yield writer
    finally:
        writer.close()
        runner.run(close())


def _checked(answer: T | MailError) -> T:
    if isinstance(answer, MailError):
        raise answer
    return answer
