"""Delivery by pipe: one message from a stream to some addresses, by LMTP's own path; exit codes are the command's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, TypeVar

from mailstore import conf
from mailstore.delivery import one_off
from mailstore.errors import MailError, MessageTooLarge, TryAgain
from mailstore.ports import Delivered, Delivery, Done, Envelope, Intake, Recipient
from mailstore.wire.body_normalizer import RawNormalizer

T = TypeVar("T")
CHUNK_OCTETS = 64 * 1024
FROM_LINE_OCTETS = 1000  # an mbox From_ line; RFC 5321 §4.5.3.1.6 bounds a line of text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one address: delivered under `queue_id`, or not, because of `error`."""

    address: str
    queue_id: str | None = None
    error: MailError | None = None


def deliver(addresses: Sequence[str], stream: BinaryIO, *, sender: str = "") -> list[Outcome]:
    """Deliver what the stream holds, in any line form, to each address; one outcome each, in order.

    Nothing is delivered when any address must be tried again later: whoever tries again offers the message to all of
    them, and would deliver twice. `sender` is the reverse-path, "" the null sender.
    """
    return asyncio.run(_deliver(list(addresses), stream, sender.strip("<>")))


async def _deliver(addresses: list[str], stream: BinaryIO, sender: str) -> list[Outcome]:
    settings = conf.load()
    async with one_off.delivery(settings) as delivery:
        asked = [await _ask(delivery, address) for address in addresses]
        accepted = [one for one in asked if isinstance(one, Recipient)]
        if any(isinstance(one, TryAgain) for one in asked):
            answers: list[Delivered | MailError] = [TryAgain("held back for another address") for _one in accepted]
        else:
            answers = await _hand_in(delivery, accepted, stream, sender, settings.lmtp.max_message_octets)
    told = iter(answers)
    final = [next(told) if isinstance(one, Recipient) else one for one in asked]
    return [_outcome(address, one) for address, one in zip(addresses, final, strict=True)]


async def _ask(delivery: Delivery, address: str) -> Recipient | MailError:
    return await one_off.answer(lambda done: delivery.recipient(address, None, done))


async def _hand_in(
    delivery: Delivery, recipients: list[Recipient], stream: BinaryIO, sender: str, most_octets: int
) -> list[Delivered | MailError]:
    """Store the message for the accepted recipients; one answer each, in order."""
    if not recipients:
        return []
    intake = delivery.begin(_envelope(sender))
    octets = _pour(stream, intake, most_octets)
    if octets > most_octets:
        intake.abort()
        return [MessageTooLarge(f"the message has more than {most_octets} octets") for _recipient in recipients]
    loop = asyncio.get_running_loop()
    told: list[asyncio.Future[Delivered | MailError]] = [loop.create_future() for _recipient in recipients]
    intake.commit(recipients, octets, lambda index, value: told[index].set_result(value))
    return [await one_off.answer(_result_of(future)) for future in told]


def _result_of(future: asyncio.Future[T]) -> Callable[[Done[T]], None]:
    return lambda done: future.add_done_callback(lambda ended: done(ended.result()))


def _pour(stream: BinaryIO, intake: Intake, most_octets: int) -> int:
    """Write the stream in wire form; returns its unstuffed length, or stops soon after `most_octets`."""
    door = RawNormalizer()
    for chunk in _without_from_line(stream):
        intake.write(door.feed(chunk))
        if door.octets > most_octets:
            return door.octets
    intake.write(door.finish())
    return door.octets


def _without_from_line(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the stream's octets; an mbox From_ line, which some programs put before a message, is none of them."""
    first = stream.readline(FROM_LINE_OCTETS)
    head = [] if first.startswith(b"From ") and first.endswith(b"\n") else [first]
    return chain(head, iter(lambda: stream.read(CHUNK_OCTETS), b""))


def _envelope(sender: str) -> Envelope:
    return Envelope(
        sender=sender,
        client_name="localhost",
        client="unix",
        encrypted=False,
        protocol="pipe",
    )


def _outcome(address: str, answer: Delivered | MailError) -> Outcome:
    if isinstance(answer, MailError):
        return Outcome(address, error=answer)
    return Outcome(address, queue_id=answer.queue_id)
