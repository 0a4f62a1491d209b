"""The octets between the commands: through the door into the intake, counted against the limit. Knows no replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mailstore.wire.body_normalizer import DataNormalizer, RawNormalizer

if TYPE_CHECKING:
    from mailstore.ports import Intake


class Reader(Protocol):
    """What reads octets that are not commands."""

    def feed(self, chunk: bytes) -> bytes | None:
        """Return what came behind the end; None while more is to come."""


class Kept:
    """One message on its way into an intake, until it turns out too large: then it is forgotten at once."""

    __slots__ = ("_limit", "intake", "octets", "too_large")

    def __init__(self, intake: Intake, limit: int) -> None:
        self.intake = intake
        self.octets = 0
        self.too_large = False
        self._limit = limit

    def add(self, wire: bytes, octets: int) -> None:
        """Keep `wire`, after which the message has `octets` in all."""
        self.octets = octets
        self.allow(octets)
        if wire and not self.too_large:
            self.intake.write(wire)

    def allow(self, octets: int) -> None:
        """Learn how large the message gets, perhaps before the octets come."""
        if octets > self._limit and not self.too_large:
            self.too_large = True
            self.intake.abort()


class Data:
    """What follows DATA."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._door = DataNormalizer()

    def feed(self, chunk: bytes) -> bytes | None:
        wire, rest = self._door.feed(chunk)
        self._kept.add(wire, self._door.octets)
        return rest


class Skipped:
    """The octets of a BDAT that was refused. RFC 3030 §2: they come all the same, and are no commands."""

    def __init__(self, octets: int) -> None:
        self._left = octets

    def feed(self, chunk: bytes) -> bytes | None:
        inside, self._left = self._left, max(0, self._left - len(chunk))
        return None if self._left else chunk[inside:]


class Chunks:
    """What follows each BDAT of one message."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self._door = RawNormalizer()
        self._left = 0
        self._last = False

    def announce(self, octets: int, *, last: bool) -> None:
        """A BDAT was given."""
        self._left = octets
        self._last = last
        self.kept.allow(self.kept.octets + octets)

    def feed(self, chunk: bytes) -> bytes | None:
        inside = chunk[: self._left]
        self._left -= len(inside)
        self.kept.add(self._door.feed(inside), self._door.octets)
        if self._left:
            return None
        if self._last:
            self.kept.add(self._door.finish(), self._door.octets)
        return chunk[len(inside) :]
