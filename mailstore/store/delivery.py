"""Delivery: the body made durable, then one transaction per recipient; the port of the same name, and imports."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mailstore.errors import MailError, TryAgain, Unavailable
from mailstore.policy import ids
from mailstore.ports import BodyRef, BodyStore, Delivered, Done, Draft, Envelope, Intake, Recipient
from mailstore.store import literals, recipients, trace
from mailstore.store.answers import tell
from mailstore.store.lane import Parameters, StatementFailed, Steps
from mailstore.store.lanes import Lanes
from mailstore.store.statements import ADD_BODY, DELIVER, DELIVER_ALL, LOCK, LOCK_DOMAINS

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

log = logging.getLogger("popadmin.delivery")

SYNC_THREADS = 8  # fsyncs at once: they wait for the disk, which serves several together
NOT_NULL_VIOLATION = "23502"  # how the statement says that some of several mailboxes refused


@dataclass(frozen=True, slots=True)
class Placement:
    """One message for `mailboxes`, all or none.

    `uidl` is the UIDL in the first of them: the queue id of a delivery, so that header, log and maildrop name the same,
    or the old one of an import; the others get new ones. What stands behind it is for imports: the old date, no quota.
    """

    mailboxes: tuple[int, ...]
    ref: BodyRef
    prefix: bytes = b""
    body: int | None = None  # the body's row, where it stands already
    uidl: str | None = None
    arrived_at: datetime | None = None
    unlimited: bool = False
    source: bytes | None = None
    capped: tuple[int, ...] = ()  # the domains whose quota is to be kept

    @property
    def ordinary(self) -> bool:
        """True for a new message with a body of its own for one mailbox, whose domain has no quota."""
        imported = self.arrived_at or self.unlimited or self.source
        return len(self.mailboxes) == 1 and self.body is None and not imported and not self.capped


class Refusing(MailError):
    """The mailboxes took nothing: a switch, a quota, or this source came before. Nothing was changed."""


class StoredDelivery:
    """ports.Delivery. Lives in one worker, on its loop."""

    def __init__(self, lanes: Lanes, bodies: BodyStore, hostname: str) -> None:
        self._lanes = lanes
        self._bodies = bodies
        self._hostname = hostname
        self._clock = trace.Clock()
        self._pool = ThreadPoolExecutor(SYNC_THREADS, thread_name_prefix="fsync")

    def recipient(self, address: str, octets: int | None, done: Done[Recipient]) -> None:
        recipients.find(self._lanes, address, octets, done, hostname=self._hostname)

    def begin(self, envelope: Envelope) -> Intake:
        return _Incoming(self, self._bodies, envelope)

    def close(self) -> None:
        self._pool.shutdown(wait=False)

    def store(self, draft: Draft, octets: int, done: Done[BodyRef]) -> None:
        """Make the body durable, off the loop."""
        loop = asyncio.get_running_loop()

        def finished(work: Future[BodyRef]) -> None:
            loop.call_soon_threadsafe(tell, done, _outcome(work))

        self._pool.submit(draft.commit, octets).add_done_callback(finished)

    def add_body(self, ref: BodyRef, done: Done[int]) -> None:
        """Write the row of a body that several placements will share."""

        def added(answer: PGresult | MailError) -> None:
            done(answer if isinstance(answer, MailError) else int(answer.get_value(0, 0) or b"0"))

        self._lanes.write(((ADD_BODY, (ref.key.encode(), *_body_figures(ref))),), added)

    def place(self, placement: Placement, done: Done[None]) -> None:
        """Write the rows of one message; Refusing when the mailboxes take nothing, else as the port says."""
        self._lanes.write(_steps(placement), lambda answer: done(_placed(answer)))

    def discard(self, ref: BodyRef) -> None:
        """Destroy a body that surely has no row."""
        self._pool.submit(self._bodies.remove, ref.key)

    def trace(self, envelope: Envelope, recipient: str, queue_id: str) -> bytes:
        """The trace headers of one recipient."""
        date = self._clock.date()
        return trace.headers(envelope, recipient, hostname=self._hostname, queue_id=queue_id, date=date)


class _Incoming:
    """ports.Intake: one message on its way to the disk and to its recipients."""

    def __init__(self, delivery: StoredDelivery, bodies: BodyStore, envelope: Envelope) -> None:
        self._delivery = delivery
        self._envelope = envelope
        self._error: MailError | None = None
        self._draft: Draft | None = None
        try:
            self._draft = bodies.begin()
        except MailError as error:
            self._error = error

    def write(self, wire: bytes) -> None:
        if self._draft is None:
            return
        try:
            self._draft.write(wire)
        except MailError as error:
            self.abort()
            self._error = error

    def abort(self) -> None:
        draft, self._draft = self._draft, None
        if draft is not None:
            draft.abort()

    def commit(
        self, recipients: Sequence[Recipient], octets: int, done: Callable[[int, Delivered | MailError], None]
    ) -> None:
        draft, self._draft = self._draft, None
        if draft is None:
            _tell_all(len(recipients), self._error or TryAgain("the message was given up before"), done)
            return
        self._delivery.store(draft, octets, lambda ref: self._stored(ref, recipients, done))

    def _stored(
        self,
        ref: BodyRef | MailError,
        recipients: Sequence[Recipient],
        done: Callable[[int, Delivered | MailError], None],
    ) -> None:
        if isinstance(ref, MailError):
            log.error("a body could not be stored: %s", ref)
            _tell_all(len(recipients), ref, done)
        elif len(recipients) == 1:
            self._place(0, recipients[0], ref, None, done)
        else:
            self._delivery.add_body(ref, lambda body: self._shared(body, ref, recipients, done))

    def _shared(
        self,
        body: int | MailError,
        ref: BodyRef,
        recipients: Sequence[Recipient],
        done: Callable[[int, Delivered | MailError], None],
    ) -> None:
        if isinstance(body, MailError):
            _tell_all(len(recipients), body, done)
            return
        for index, recipient in enumerate(recipients):
            self._place(index, recipient, ref, body, done)

    def _place(
        self,
        index: int,
        recipient: Recipient,
        ref: BodyRef,
        body: int | None,
        done: Callable[[int, Delivered | MailError], None],
        *,
        again: bool = False,
    ) -> None:
        queue_id = fresh_id()
        prefix = self._delivery.trace(self._envelope, recipient.address, queue_id)

        def refused(why: Recipient | MailError) -> None:
            """What RCPT had accepted was refused. Asked again, now with the true size, there may be room."""
            if isinstance(why, Recipient) and not again:
                self._place(index, why, ref, body, done, again=True)
                return
            if body is None:
                self._delivery.discard(ref)
            done(index, why if isinstance(why, MailError) else TryAgain("the mailbox changed meanwhile"))

        def placed(answer: MailError | None) -> None:
            if isinstance(answer, Refusing):
                self._delivery.recipient(recipient.address, len(prefix) + ref.octets, refused)
            elif isinstance(answer, MailError):
                log.error("delivery to %s: %s", recipient.address, answer)
                done(index, answer)
            else:
                log.info("delivered %s to %s, %d octets", queue_id, trace.plain(recipient.address), ref.octets)
                done(index, Delivered(queue_id))

        self._delivery.place(
            Placement(recipient.mailboxes, ref, prefix, body, uidl=queue_id, capped=recipient.capped), placed
        )


def fresh_id() -> str:
    """A UIDL or queue id: unique for ever, ordered by time."""
    return ids.new_id(time.time_ns() // 1_000_000, os.urandom(ids.RANDOM_OCTETS))


def _tell_all(count: int, answer: MailError, done: Callable[[int, Delivered | MailError], None]) -> None:
    for index in range(count):
        done(index, answer)


def _outcome(work: Future[BodyRef]) -> BodyRef | MailError:
    error = work.exception()
    if error is None:
        return work.result()
    if isinstance(error, MailError):
        return error
    log.error("storing a body failed", exc_info=error)
    return Unavailable(repr(error))


def _placed(answer: PGresult | MailError) -> MailError | None:
    if isinstance(answer, StatementFailed) and answer.sqlstate == NOT_NULL_VIOLATION:
        return Refusing("some of the mailboxes refuse")
    if isinstance(answer, MailError):
        return answer
    return None if answer.ntuples else Refusing("the mailbox refuses")


def _body_figures(ref: BodyRef) -> tuple[bytes, bytes, bytes]:
    return b"%d" % ref.wire_octets, b"%d" % ref.octets, ref.digest


def _steps(placement: Placement) -> Steps:
    if placement.ordinary:
        return ((DELIVER, _parameters(placement)),)
    mailboxes = literals.bigints(placement.mailboxes)
    capped = literals.bigints(placement.capped)
    locks = [(LOCK_DOMAINS, (capped,))] if placement.capped else []
    if len(placement.mailboxes) > 1:
        locks.append((LOCK, (mailboxes,)))
    return (*locks, (DELIVER_ALL, (*_all_parameters(placement, mailboxes), capped)))


def _parameters(placement: Placement) -> Parameters:
    ref = placement.ref
    return (
        b"%d" % placement.mailboxes[0],
        b"%d" % (len(placement.prefix) + ref.octets),
        ref.key.encode(),
        *_body_figures(ref),
        (placement.uidl or fresh_id()).encode(),
        placement.prefix,
    )


def _all_parameters(placement: Placement, mailboxes: bytes) -> Parameters:
    ref = placement.ref
    uidls = [placement.uidl or fresh_id(), *(fresh_id() for _ in placement.mailboxes[1:])]
    new_body: tuple[bytes | None, ...] = (None, ref.key.encode(), *_body_figures(ref))
    return (
        mailboxes,
        b"%d" % (len(placement.prefix) + ref.octets),
        *(new_body if placement.body is None else (b"%d" % placement.body, None, None, None, None)),
        placement.prefix,
        literals.texts(uidls),
        placement.arrived_at.isoformat().encode() if placement.arrived_at else None,
        b"t" if placement.unlimited else b"f",
        placement.source,
    )
