"""Delivery by pipe: one message from a stream to some addresses. The command makes the exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, TypeVar

from mailstore import conf
from mailstore.delivery import one_off
from mailstore.delivery.delivery import StoredDelivery
from mailstore.errors import MailError, MessageTooLarge, TryAgain
from mailstore.ports import NO_MARKS, Answer, Delivered, Delivery, Done, Envelope, Intake, MessageMarks, Recipient
from mailstore.wire.body_normalizer import RawNormalizer

T = TypeVar("T")
CHUNK_OCTETS = 64 * 1024
FROM_LINE_OCTETS = 1000  # an mbox From_ line; RFC 5321 §4.5.3.1.6 bounds a line of text


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome for one address: delivered under `queue_id`, or not delivered because of `error`."""

    address: str
    queue_id: str | None = None
    error: MailError | None = None


class _Message:
    """The message of a stream. `octets` is its length, None before it was read."""

    def __init__(self, stream: BinaryIO, most_octets: int) -> None:
        self.most_octets = most_octets
        self.octets: int | None = None
        self._stream = stream
        self._intake: Intake | None = None

    def marks(self) -> MessageMarks:
        return NO_MARKS if self._intake is None else self._intake.marks()

    def pour(self, intake: Intake) -> int:
        """Write the stream in wire form; return its unstuffed length. Stops soon after `most_octets`."""
        self._intake = intake
        normalizer = RawNormalizer()
        for chunk in _without_from_line(self._stream):
            intake.write(normalizer.feed(chunk))
            if normalizer.octets > self.most_octets:
                break
        else:
            intake.write(normalizer.finish())
        self.octets = normalizer.octets
        return normalizer.octets


def deliver(addresses: Sequence[str], stream: BinaryIO, *, sender: str = "") -> list[Outcome]:
    """Deliver the message in the stream, with any line ends, to each address; return one outcome for each, in order.

    If any address must be tried again later, nothing is delivered: the caller then offers the message to all addresses
    again, and some would get it twice. `sender` is the reverse-path; "" is the null sender.
    """
    return asyncio.run(_deliver(list(addresses), stream, sender.strip("<>")))


async def _deliver(addresses: list[str], stream: BinaryIO, sender: str) -> list[Outcome]:
    settings = conf.load()
    async with one_off.delivery(settings) as delivery:
        found = [await _ask(delivery, address) for address in addresses]
        accepted = [one for one in found if isinstance(one, Recipient)]
        message = _Message(stream, settings.lmtp.max_message_octets)
        if any(isinstance(one, TryAgain) for one in found):
            answers: list[Delivered | MailError] = [TryAgain("held back for another address") for _one in accepted]
        else:
            answers = await _hand_in(delivery, accepted, message, sender)
        remaining = iter(answers)
        final = [next(remaining) if isinstance(one, Recipient) else one for one in found]
        for address, one, answer in zip(addresses, found, final, strict=True):
            via = one.via if isinstance(one, Recipient) else ()
            delivery.answers.answered(_reported(message, sender, address, answer, via))
    return [_outcome(address, one) for address, one in zip(addresses, final, strict=True)]


async def _ask(delivery: Delivery, address: str) -> Recipient | MailError:
    return await one_off.answer(lambda done: delivery.recipient(address, None, done))


async def _hand_in(
    delivery: StoredDelivery, recipients: list[Recipient], message: _Message, sender: str
) -> list[Delivered | MailError]:
    """Store the message for the accepted recipients; return one answer for each, in order."""
    if not recipients:
        return []
    intake = delivery.begin(_envelope(sender))
    octets = message.pour(intake)
    if octets > message.most_octets:
        intake.abort()
        text = f"the message has more than {message.most_octets} octets"
        return [MessageTooLarge(text) for _recipient in recipients]
    loop = asyncio.get_running_loop()
    futures: list[asyncio.Future[Delivered | MailError]] = [loop.create_future() for _recipient in recipients]
    intake.commit(recipients, octets, lambda index, value: futures[index].set_result(value))
    return [await one_off.answer(_result_of(future)) for future in futures]


def _result_of(future: asyncio.Future[T]) -> Callable[[Done[T]], None]:
    return lambda done: future.add_done_callback(lambda ended: done(ended.result()))


def _without_from_line(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the octets of the stream, without the mbox From_ line that some programs put before a message."""
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


def _reported(
    message: _Message, sender: str, address: str, outcome: Delivered | MailError, via: tuple[str, ...]
) -> Answer:
    """Return what the trace keeps. A pipe has no replies; its caller gets an exit code."""
    return Answer("pipe", "", sender, address, outcome, "", None, message.octets, via, message.marks())


def _outcome(address: str, answer: Delivered | MailError) -> Outcome:
    if isinstance(answer, MailError):
        return Outcome(address, error=answer)
    return Outcome(address, queue_id=answer.queue_id)
