"""What RECIPIENTS and OURS answer, as values: mailboxes, ways onward, and whose domain a name is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox; `capped` is its domain, where that has a quota of its own."""

    mailbox: int
    receives: bool
    fits: bool
    over_quota: str
    capped: int | None


@dataclass(frozen=True, slots=True)
class Way:
    """An alias, which receives while its domain is active; a forward where a mailbox has the same name."""

    receives: bool
    targets: tuple[str, ...]
    keep_copy: bool


@dataclass(frozen=True, slots=True)
class Place:
    """One of ours; `stands_for` is the name of the domain in which its addresses are looked up, if it is not itself."""

    stands_for: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What one round of asking found, by name."""

    boxes: dict[str, Box]
    ways: dict[str, Way]

    def of(self, keys: list[str]) -> tuple[Box | None, Way | None]:
        """The mailbox and the way onward behind the first of the keys that is known."""
        key = next((key for key in keys if key in self.boxes or key in self.ways), "")
        return self.boxes.get(key), self.ways.get(key)


def found(answer: PGresult) -> Found:
    told = Found({}, {})
    for row in range(answer.ntuples):
        name = (answer.get_value(row, 0) or b"").decode()
        if answer.get_value(row, 1) is None:
            told.ways[name] = _way(answer, row)
        else:
            told.boxes[name] = _box(answer, row)
    return told


def _box(answer: PGresult, row: int) -> Box:
    capped = answer.get_value(row, 5)
    return Box(
        mailbox=int(answer.get_value(row, 1) or b""),
        receives=answer.get_value(row, 2) == b"t",
        fits=answer.get_value(row, 3) == b"t",
        over_quota=(answer.get_value(row, 4) or b"").decode(),
        capped=int(capped) if capped else None,
    )


def _way(answer: PGresult, row: int) -> Way:
    return Way(
        receives=answer.get_value(row, 2) == b"t",
        targets=tuple((answer.get_value(row, 6) or b"").decode().split("\n")),
        keep_copy=answer.get_value(row, 7) == b"t",
    )


def places(answer: PGresult) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for row in range(answer.ntuples):
        stands_for = answer.get_value(row, 1)
        name = (answer.get_value(row, 0) or b"").decode()
        found[name] = Place(stands_for.decode() if stands_for else None, answer.get_value(row, 2) == b"t")
    return found
