"""Bring bodies without rows back as mail of a mailbox, from the store and from its quarantine.

What only the rows had is lost: the mailbox that a body was for, its Return-Path and Received. Each message is written
in a transaction of its own, so a run that was killed can go on, and a later run finds nothing left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, islice

from mailstore import conf
from mailstore.delivery import one_off
from mailstore.delivery.delivery import StoredDelivery
from mailstore.delivery.message_writer import Placement
from mailstore.directory import audit, mailbox_lookup
from mailstore.directory.audit import Actor
from mailstore.errors import BodyLost, BodyUnreadable, MailError
from mailstore.models import Mailbox
from mailstore.pg.pipeline import StatementFailed
from mailstore.ports import BodyRef, BodyStore
from mailstore.retention import body_census
from mailstore.retention.body_census import Progress

BATCH_BODIES = 50  # rows that are written together
UNIQUE_VIOLATION = "23505"


@dataclass(frozen=True, slots=True)
class Adoption:
    """One body without a row. `adopted` is True when it has become mail. `why_not` says why it cannot."""

    name: str
    octets: int = 0
    arrived_at: datetime | None = None
    adopted: bool = False
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class _Whole:
    """A body that agrees with its trailer. `quarantine_name` is None for a body that is in its place."""

    ref: BodyRef
    arrived_at: datetime
    quarantine_name: str | None


def preview(address: str, store: BodyStore, *, progress: Progress) -> Iterator[Adoption]:
    """Yield the bodies that `run` would bring into the mailbox of this address. Raises Rejected and Unavailable."""
    mailbox_lookup.get(address)
    for one in _found(store, progress):
        yield one if isinstance(one, Adoption) else _adoption(one, adopted=False)


def run(address: str, store: BodyStore, *, actor: Actor, progress: Progress) -> Iterator[Adoption]:
    """Bring the bodies in, whatever the quota, and yield each one. Rejected; after Unavailable, run it again."""
    mailbox = mailbox_lookup.get(address)
    found = _found(store, progress)
    first = next(found, None)
    if first is None:
        return
    audit.record(actor, "mailbox.adopt", mailbox.user.address, mailbox=mailbox)
    with asyncio.Runner() as runner, one_off.delivery_on(runner, conf.load()) as delivery:
        for batch in _batches(chain([first], found)):
            yield from (one for one in batch if isinstance(one, Adoption))
            whole = [_in_place(store, one) for one in batch if isinstance(one, _Whole)]
            yield from runner.run(_place(delivery, mailbox, whole))


def _batches(found: Iterator[_Whole | Adoption]) -> Iterator[list[_Whole | Adoption]]:
    while batch := list(islice(found, BATCH_BODIES)):
        yield batch


def _found(store: BodyStore, progress: Progress) -> Iterator[_Whole | Adoption]:
    """Read each body without a row. Yield a whole one, or why it cannot be mail."""
    in_place = (_examined(store, key) for keys in body_census.without_row(store) for key in keys)
    in_quarantine = (
        _examined(store, body.name, quarantined=True)
        for bodies in body_census.in_quarantine_without_row(store)
        for body in bodies
    )
    for count, one in enumerate(chain(in_place, in_quarantine), start=1):
        yield one
        progress("bodies", count, None)


def _examined(store: BodyStore, name: str, *, quarantined: bool = False) -> _Whole | Adoption:
    try:
        ref, arrived_at = store.examine(name)
    except (BodyLost, BodyUnreadable) as loss:
        return Adoption(name, why_not=str(loss))
    return _Whole(ref, datetime.fromtimestamp(arrived_at, UTC), name if quarantined else None)


def _in_place(store: BodyStore, one: _Whole) -> _Whole:
    """Move a body from the quarantine to its place. The body comes before the row."""
    if one.quarantine_name is None:
        return one
    store.bring_back(one.quarantine_name)
    return replace(one, quarantine_name=None)


async def _place(delivery: StoredDelivery, mailbox: Mailbox, whole: Sequence[_Whole]) -> list[Adoption]:
    answers = await asyncio.gather(*(_place_one(delivery, mailbox, one) for one in whole))
    return [_outcome(one, answer) for one, answer in zip(whole, answers, strict=True)]


async def _place_one(delivery: StoredDelivery, mailbox: Mailbox, one: _Whole) -> MailError | None:
    prefix = f"Delivered-To: {mailbox.user.address}\r\n".encode()
    placement = Placement((mailbox.pk,), one.ref, prefix, arrived_at=one.arrived_at, unlimited=True)
    return await one_off.answer(lambda done: delivery.place(placement, done))


def _outcome(one: _Whole, answer: MailError | None) -> Adoption:
    if isinstance(answer, StatementFailed) and answer.sqlstate == UNIQUE_VIOLATION:
        return Adoption(one.ref.key, one.ref.octets, one.arrived_at, why_not="it has a row by now")
    if isinstance(answer, MailError):
        raise answer
    return _adoption(one, adopted=True)


def _adoption(one: _Whole, *, adopted: bool) -> Adoption:
    return Adoption(one.ref.key, one.ref.octets, one.arrived_at, adopted=adopted)
