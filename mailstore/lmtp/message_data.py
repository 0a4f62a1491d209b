"""Read the octets between the commands: normalize them, write them to the intake, hold them to the size limit.

Each reader is a `wire.turn_taker.ContentReader`. None of them knows a reply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailstore.wire.body_normalizer import DataNormalizer, RawNormalizer

if TYPE_CHECKING:
    from mailstore.ports import Intake


class IncomingMessage:
    """One message on its way into an intake. It is dropped as soon as it turns out too large.

    `octets` is its length so far, unstuffed.
    """

    __slots__ = ("_limit_octets", "intake", "octets", "too_large")

    def __init__(self, intake: Intake, limit_octets: int) -> None:
        self.intake = intake
        self.octets = 0
        self.too_large = False
        self._limit_octets = limit_octets

    def add(self, wire: bytes, octets: int) -> None:
        """Write `wire`, after which the message has `octets` in all."""
        self.octets = octets
        self.check_limit(octets)
        if wire and not self.too_large:
            self.intake.write(wire)

    def check_limit(self, octets: int) -> None:
        """Drop the message if `octets` is above the limit. Called also before the octets come, where it is known."""
        if octets > self._limit_octets and not self.too_large:
            self.too_large = True
            self.intake.abort()


class DataReader:
    """Reads what follows DATA."""

    def __init__(self, message: IncomingMessage) -> None:
        self._message = message
        self._normalizer = DataNormalizer()

    def feed(self, chunk: bytes) -> bytes | None:
        wire, rest = self._normalizer.feed(chunk)
        self._message.add(wire, self._normalizer.octets)
        return rest


class ChunkSkipper:
    """Skips the octets of a BDAT that was refused. RFC 3030 §2: they come all the same, and are no commands."""

    def __init__(self, octets: int) -> None:
        self._octets_left = octets

    def feed(self, chunk: bytes) -> bytes | None:
        inside, self._octets_left = self._octets_left, max(0, self._octets_left - len(chunk))
        return None if self._octets_left else chunk[inside:]


class ChunkReader:
    """Reads what follows each BDAT of one message."""

    def __init__(self, message: IncomingMessage) -> None:
        self.message = message
        self._normalizer = RawNormalizer()
        self._octets_left = 0
        self._last = False

    def begin_chunk(self, octets: int, *, last: bool) -> None:
        """Expect a chunk of `octets`, the last of the message or not."""
        self._octets_left = octets
        self._last = last
        self.message.check_limit(self.message.octets + octets)

    def feed(self, chunk: bytes) -> bytes | None:
        inside = chunk[: self._octets_left]
        self._octets_left -= len(inside)
        self.message.add(self._normalizer.feed(inside), self._normalizer.octets)
        if self._octets_left:
            return None
        if self._last:
            self.message.add(self._normalizer.finish(), self._normalizer.octets)
        return chunk[len(inside) :]
