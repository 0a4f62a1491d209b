"""Delivery of messages: makes the body durable first, then the rows of each recipient. Imports use it too."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from mailstore.delivery import recipient_lookup, trace_headers
from mailstore.delivery.body_committer import BodyCommitter
from mailstore.delivery.message_writer import MessageWriter, Placement, PlacementRefused, body_values, fresh_id
from mailstore.delivery.trace_writer import TraceWriter
from mailstore.errors import MailError, MailLoop, TryAgain
from mailstore.pg import array_literals
from mailstore.ports import BodyRef, BodyStore, Delivered, Done, Draft, Envelope, Intake, MessageMarks, Recipient
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.delivery import ADD_BODY, LOOPED
from mailstore.sql.statements.view import LOCK
from mailstore.wire import message_marks
from mailstore.wire.trace_header import TraceReader

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

log = logging.getLogger("popadmin.delivery")


class StoredDelivery:
    """ports.Delivery over Postgres and a body store, for one worker, on its loop."""

    def __init__(self, lanes: ConnectionPool, bodies: BodyStore, hostname: str) -> None:
        self._lanes = lanes
        self._bodies = bodies
        self._hostname = hostname
        self._clock = trace_headers.Clock()
        self._committer = BodyCommitter(bodies)
        self._writer = MessageWriter(lanes)
        self._renames = recipient_lookup.SeenRenames()
        self.answers = TraceWriter(lanes)  # what senders are told, as sessions report it

    def recipient(self, address: str, octets: int | None, done: Done[Recipient]) -> None:
        recipient_lookup.find(self._lanes, address, octets, done, hostname=self._hostname, seen=self._renames)

    def begin(self, envelope: Envelope) -> Intake:
        return _Incoming(self, self._bodies, envelope)

    def close(self) -> None:
        """End the threads after they have done what waits."""
        self._committer.close()

    def store(self, draft: Draft, octets: int, done: Done[BodyRef]) -> None:
        """Make a body durable. `octets` is its unstuffed length. StorageFull, Unavailable."""
        self._committer.add(draft, octets, done)

    def add_body(self, ref: BodyRef, done: Done[int]) -> None:
        """Write the row of a body that the messages of several recipients share; `done` gets its primary key."""

        def added(answer: PGresult | MailError) -> None:
            done(answer if isinstance(answer, MailError) else int(answer.get_value(0, 0) or b"0"))

        self._lanes.write(((ADD_BODY, ADD_BODY.values(**body_values(ref))),), added)

    def place(self, placement: Placement, done: Done[None]) -> None:
        """Write the rows of one message. PlacementRefused if the mailboxes take nothing, Unavailable."""
        self._writer.place(placement, done)

    def note_loop(self, recipient: Recipient) -> None:
        """Tell the log and the overview that a message came back to this recipient."""
        log.warning("mail loop: a message came back to %s", trace_headers.plain(recipient.address))
        mailbox_ids = array_literals.bigints(recipient.mailboxes)
        lock, looped = LOCK.values(mailbox_ids=mailbox_ids), LOOPED.values(mailbox_ids=mailbox_ids)
        self._lanes.write(((LOCK, lock), (LOOPED, looped)), lambda _answer: None)

    def discard(self, ref: BodyRef) -> None:
        """Destroy a body that certainly has no row."""
        self._committer.discard(ref.key)

    def trace(self, envelope: Envelope, recipient: str, queue_id: str) -> bytes:
        """Return the trace headers for one recipient, in wire form."""
        date = self._clock.date()
        return trace_headers.headers(envelope, recipient, hostname=self._hostname, queue_id=queue_id, date=date)


class _Incoming:
    """ports.Intake: one message on its way to the store and to its recipients."""

    def __init__(self, delivery: StoredDelivery, bodies: BodyStore, envelope: Envelope) -> None:
        self._delivery = delivery
        self._envelope = envelope
        self._error: MailError | None = None
        self._draft: Draft | None = None
        self._header = TraceReader()
        try:
            self._draft = bodies.begin()
        except MailError as error:
            self._error = error

    def write(self, wire: bytes) -> None:
        self._header.feed(wire)
        if self._draft is None:
            return
        try:
            self._draft.write(wire)
        except MailError as error:
            self.abort()
            self._error = error

    def marks(self) -> MessageMarks:
        return message_marks.marks(self._header.header())

    def abort(self) -> None:
        draft, self._draft = self._draft, None
        if draft is not None:
            draft.abort()

    def commit(
        self, recipients: Sequence[Recipient], octets: int, done: Callable[[int, Delivered | MailError], None]
    ) -> None:
        if self._draft is None:
            _tell_all(len(recipients), self._error or TryAgain("the message was given up before"), done)
            return
        places = self._places_without_loop(recipients, done)
        if not places:
            self.abort()
            return
        draft, self._draft = self._draft, None
        others = [recipients[place] for place in places]
        self._delivery.store(
            draft, octets, lambda ref: self._stored(ref, others, lambda index, answer: done(places[index], answer))
        )

    def _places_without_loop(
        self, recipients: Sequence[Recipient], done: Callable[[int, Delivered | MailError], None]
    ) -> list[int]:
        """Refuse the recipients to which the message comes back; return the places of the others."""
        trace = self._header.trace()
        others = []
        for place, recipient in enumerate(recipients):
            if not trace.loops_to(recipient.address):
                others.append(place)
                continue
            self._delivery.note_loop(recipient)
            done(place, MailLoop(recipient.address))
        return others

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
            self._place(0, recipients[0], ref, None, done, {})
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
        for chain in chains(recipients):
            self._next(deque(chain), ref, body, done, {})

    def _next(
        self,
        chain: deque[tuple[int, Recipient]],
        ref: BodyRef,
        body: int,
        done: Callable[[int, Delivered | MailError], None],
        copies: dict[int, Delivered],
    ) -> None:
        """Deliver to recipients that share mailboxes one after the other. `copies` are the mailboxes that have it.

        Each mailbox gets one copy. A recipient all of whose mailboxes have it is delivered.
        """
        while chain:
            index, recipient = chain.popleft()
            if not copies.keys() >= set(recipient.mailboxes):
                # A new turn of the loop: an outage answers at once, and the recipients may be a thousand.
                go_on = partial(asyncio.get_running_loop().call_soon, self._next, chain, ref, body, done, copies)
                self._place(index, recipient, ref, body, _then(done, go_on), copies)
                return
            done(index, _delivered_before(recipient, copies))

    def _place(
        self,
        index: int,
        recipient: Recipient,
        ref: BodyRef,
        body: int | None,
        done: Callable[[int, Delivered | MailError], None],
        copies: dict[int, Delivered],
        *,
        retried: bool = False,
    ) -> None:
        """Write the rows of one recipient, in the mailboxes that have no copy, and note its copies."""
        mailboxes = tuple(mailbox for mailbox in recipient.mailboxes if mailbox not in copies)
        queue_id, *other_uidls = (fresh_id() for _mailbox in mailboxes)
        prefix = self._delivery.trace(self._envelope, recipient.address, queue_id)

        def refused(why: Recipient | MailError) -> None:
            """Answer for a recipient that is refused now, or try once more: the second lookup may have made room."""
            if isinstance(why, Recipient) and not retried:
                if copies and copies.keys() >= set(why.mailboxes):
                    done(index, _delivered_before(why, copies))
                else:
                    self._place(index, why, ref, body, done, copies, retried=True)
                return
            if body is None:
                self._delivery.discard(ref)
            done(index, why if isinstance(why, MailError) else TryAgain("the mailbox changed meanwhile"))

        def placed(answer: MailError | None) -> None:
            if isinstance(answer, PlacementRefused):
                self._delivery.recipient(recipient.address, len(prefix) + ref.octets, refused)
            elif isinstance(answer, MailError):
                log.error("delivery to %s: %s", recipient.address, answer)
                done(index, answer)
            else:
                log.info("delivered %s to %s, %d octets", queue_id, trace_headers.plain(recipient.address), ref.octets)
                delivered = Delivered(queue_id, tuple(zip(mailboxes, (queue_id, *other_uidls), strict=True)))
                copies.update(dict.fromkeys(mailboxes, delivered))
                done(index, delivered)

        placement = Placement(
            mailboxes, ref, prefix, body, uidl=queue_id, other_uidls=tuple(other_uidls), capped=recipient.capped
        )
        self._delivery.place(placement, placed)


def chains(recipients: Sequence[Recipient]) -> list[list[tuple[int, Recipient]]]:
    """Group recipients that share mailboxes, also by way of others; each with its place, in the order given.

    The time grows with the mailboxes, not with their square: a message may have a thousand recipients.
    """
    leader: dict[int, int] = {}  # each mailbox leads to another one of its group, or to itself

    def first(mailbox: int) -> int:
        while (other := leader.setdefault(mailbox, mailbox)) != mailbox:
            leader[mailbox] = mailbox = leader[other]
        return mailbox

    for recipient in recipients:
        for mailbox in recipient.mailboxes:
            leader[first(mailbox)] = first(recipient.mailboxes[0])
    found: dict[int, list[tuple[int, Recipient]]] = {}
    for index, recipient in enumerate(recipients):
        found.setdefault(first(recipient.mailboxes[0]), []).append((index, recipient))
    return list(found.values())


def _delivered_before(recipient: Recipient, copies: Mapping[int, Delivered]) -> Delivered:
    """Return the answer for a recipient whose mailboxes all have a copy that was made for others."""
    uidls = {mailbox: uidl for one in copies.values() for mailbox, uidl in one.copies}
    found = tuple((mailbox, uidls[mailbox]) for mailbox in recipient.mailboxes)
    return Delivered(copies[recipient.mailboxes[0]].queue_id, found)


def _then(
    done: Callable[[int, Delivered | MailError], None], go_on: Callable[[], object]
) -> Callable[[int, Delivered | MailError], None]:
    def answered(index: int, answer: Delivered | MailError) -> None:
        done(index, answer)
        go_on()

    return answered


def _tell_all(count: int, answer: MailError, done: Callable[[int, Delivered | MailError], None]) -> None:
    for index in range(count):
        done(index, answer)
