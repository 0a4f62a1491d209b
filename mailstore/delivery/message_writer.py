"""Writes the rows of messages whose bodies are durable. Messages of one turn of the loop share a transaction."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from mailstore.errors import MailError
from mailstore.pg import array_literals
from mailstore.pg.callback import tell
from mailstore.pg.pipeline import StatementFailed, Steps
from mailstore.pg.statement import Parameters
from mailstore.policy import sortable_ids
from mailstore.ports import BodyRef, Done
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.delivery import DELIVER, DELIVER_ALL, LOCK_DOMAINS
from mailstore.sql.statements.view import LOCK

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

LOCK_NOT_AVAILABLE = "55P03"
NOT_NULL_VIOLATION = "23502"  # what DELIVER_ALL raises if some of the mailboxes refuse


@dataclass(frozen=True, slots=True)
class Placement:
    """One message for `mailboxes`; all of them get it or none.

    `uidl` is the UIDL in the first mailbox: the queue id, so that header, log and maildrop show the same. The other
    mailboxes get `other_uidls`, in their order, or new ones. `unlimited` (no quota) and `source` (written once) are for
    our own notices, `arrived_at` is for adopted bodies.
    """

    mailboxes: tuple[int, ...]
    ref: BodyRef
    prefix: bytes = b""
    body: int | None = None  # primary key of the body's row, if there is one
    uidl: str | None = None
    other_uidls: tuple[str, ...] = ()
    arrived_at: datetime | None = None
    unlimited: bool = False
    source: bytes | None = None
    capped: tuple[int, ...] = ()  # primary keys of the domains whose own quota must be kept

    @property
    def ordinary(self) -> bool:
        """Return True for a new message to one mailbox whose body is new too, if the domain has no quota of its own."""
        ours = self.arrived_at or self.unlimited or self.source
        return len(self.mailboxes) == 1 and self.body is None and not ours and not self.capped


class PlacementRefused(MailError):
    """The mailboxes take nothing: a switch or a quota forbids it, or they have this source already."""


Batch = list[tuple[Placement, Done[None]]]


class MessageWriter:
    """Writes ordinary messages that became durable together in one transaction: one commit, one flush of the log.

    Each message has an outcome of its own. If a mailbox refuses, its statement returns no row, which is no error. An
    error undoes the whole transaction; then its parts are tried one by one. A message for a mailbox that is in a
    transaction would wait for the lock on a connection that others need. So it waits here, for the next transaction.
    """

    def __init__(self, lanes: ConnectionPool) -> None:
        self._lanes = lanes
        self._waiting: Batch = []
        self._soon = False  # a transaction begins at the end of this turn of the loop
        self._under_way: set[int] = set()  # mailboxes in a transaction

    def place(self, placement: Placement, done: Done[None]) -> None:
        """Write the rows of one message. PlacementRefused if the mailboxes take nothing, Unavailable."""
        if not placement.ordinary:
            self._alone(placement, done)
            return
        self._waiting.append((placement, done))
        self._begin_soon()

    def _alone(self, placement: Placement, done: Done[None]) -> None:
        self._lanes.write(_steps(placement), lambda answer: done(_placed(answer)))

    def _begin_soon(self) -> None:
        if not self._soon:
            self._soon = True
            asyncio.get_running_loop().call_soon(self._together)

    def _together(self) -> None:
        self._soon = False
        batch = [one for one in self._waiting if _mailbox(one) not in self._under_way]
        self._waiting = [one for one in self._waiting if _mailbox(one) in self._under_way]
        if batch:
            batch.sort(key=_mailbox)  # all transactions lock in one order, so that no two wait for each other
            self._under_way.update(map(_mailbox, batch))
            self._send(batch)

    def _send(self, batch: Batch) -> None:
        steps = [(DELIVER, _parameters(placement)) for placement, _done in batch]
        self._lanes.write_each(steps, lambda answers: self._answered(batch, answers))

    def _answered(self, batch: Batch, answers: Sequence[PGresult] | MailError) -> None:
        if isinstance(answers, StatementFailed) and (parts := _apart(batch, answers)):
            for part in parts:
                self._send(part)
            return
        self._under_way.difference_update(map(_mailbox, batch))
        if self._waiting:
            self._begin_soon()
        for index, (_placement, done) in enumerate(batch):
            tell(done, _placed(answers if isinstance(answers, MailError) else answers[index]))


def _mailbox(one: tuple[Placement, Done[None]]) -> int:
    return one[0].mailboxes[0]


def _apart(batch: Batch, failed: StatementFailed) -> list[Batch]:
    """Return the parts to try after an error: one for each mailbox, or for each message of one; none if it is useless.

    The messages of a locked mailbox are not tried one by one: each would wait for the lock, and delay the others.
    """
    parts = [list(part) for _mailbox_key, part in groupby(batch, key=_mailbox)]
    if len(parts) > 1:
        return parts
    return [[one] for one in batch] if len(batch) > 1 and failed.sqlstate != LOCK_NOT_AVAILABLE else []


def fresh_id() -> str:
    """Return a new UIDL or queue id. It is unique for ever, and sorts by time."""
    return sortable_ids.new_id(time.time_ns() // 1_000_000, os.urandom(sortable_ids.RANDOM_OCTETS))


def body_values(ref: BodyRef) -> dict[str, bytes | None]:
    """Return the parameters of a statement that writes the row of a body."""
    return {
        "body_key": ref.key.encode(),
        "wire_octets": b"%d" % ref.wire_octets,
        "body_octets": b"%d" % ref.octets,
        "digest": ref.digest,
        "has_nul": None if ref.has_nul is None else b"t" if ref.has_nul else b"f",
    }


def _placed(answer: PGresult | MailError) -> MailError | None:
    if isinstance(answer, StatementFailed) and answer.sqlstate == NOT_NULL_VIOLATION:
        return PlacementRefused("some of the mailboxes refuse")
    if isinstance(answer, MailError):
        return answer
    return None if answer.ntuples else PlacementRefused("the mailbox refuses")


def _steps(placement: Placement) -> Steps:
    if placement.ordinary:
        return ((DELIVER, _parameters(placement)),)
    mailboxes = array_literals.bigints(placement.mailboxes)
    capped = array_literals.bigints(placement.capped)
    locks = [(LOCK_DOMAINS, LOCK_DOMAINS.values(domain_ids=capped))] if placement.capped else []
    if len(placement.mailboxes) > 1:
        locks.append((LOCK, LOCK.values(mailbox_ids=mailboxes)))
    return (*locks, (DELIVER_ALL, _all_parameters(placement, mailboxes, capped)))


def _parameters(placement: Placement) -> Parameters:
    ref = placement.ref
    return DELIVER.values(
        mailbox_id=b"%d" % placement.mailboxes[0],
        octets=b"%d" % (len(placement.prefix) + ref.octets),
        **body_values(ref),
        uidl=(placement.uidl or fresh_id()).encode(),
        prefix=placement.prefix,
    )


def _all_parameters(placement: Placement, mailboxes: bytes, capped: bytes) -> Parameters:
    ref, body = placement.ref, placement.body
    others = placement.other_uidls or [fresh_id() for _ in placement.mailboxes[1:]]
    uidls = [placement.uidl or fresh_id(), *others]
    return DELIVER_ALL.values(
        mailbox_ids=mailboxes,
        octets=b"%d" % (len(placement.prefix) + ref.octets),
        body_id=None if body is None else b"%d" % body,
        **(body_values(ref) if body is None else dict.fromkeys(body_values(ref))),
        prefix=placement.prefix,
        uidls=array_literals.texts(uidls),
        arrived_at=placement.arrived_at.isoformat().encode() if placement.arrived_at else None,
        unlimited=b"t" if placement.unlimited else b"f",
        source=placement.source,
        quota_domain_ids=capped,
        uidl_digest=None,
        place_digest=None,
        content_digest=None,
    )
