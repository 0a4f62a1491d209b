"""Compares the bodies in the store with the rows: how many have a row, and which have none. It changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from mailstore.models import Body
from mailstore.policy import sortable_ids
from mailstore.ports import BodyStore
from mailstore.ports.bodies import QuarantinedBody

GRACE_SECONDS = 3600  # a body this young may belong to a delivery that is still under way
BATCH_ROWS = 1000
MAX_UNKNOWN = 1000  # bodies without a row, of deliveries that died between body and row, in a bad year
MAX_PERCENT = 1
MAX_OF_SMALL_STORE = 20  # where one body is more than a percent
KNOWN_TO_BE_OURS = 9  # so many bodies that the database knows, for each one that it does not

Progress = Callable[[str, int, int | None], None]  # what is counted, how many so far, of how many (None: unknown)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Census:
    """How many bodies have a row, and how many have none. Bodies of deliveries under way are not counted."""

    known: int
    unknown: int

    def is_ordinary(self) -> bool:
        """Say whether broken deliveries can explain so many bodies without a row, beside so many with one.

        False where the database may be another one, or a new one, since it knows few of the bodies.
        """
        if self.unknown > MAX_UNKNOWN:
            return False
        most_percent = (self.unknown + self.known) * MAX_PERCENT
        return self.unknown * 100 <= most_percent or self.unknown <= min(MAX_OF_SMALL_STORE, self.known)

    def is_ours(self) -> bool:
        """Say whether the bodies show that the store belongs to the database, where neither names the other."""
        return self.known >= KNOWN_TO_BE_OURS * self.unknown


def count(store: BodyStore, progress: Progress = lambda _what, _count, _total: None) -> Census:
    """Count all bodies. Unavailable when the store is away."""
    known = unknown = total = 0
    for batch in batches(store.keys()):
        without = _without_row(batch)
        known += len(batch) - len(without)
        unknown += sum(1 for key in without if is_settled(key))
        total += len(batch)
        progress("files", total, None)
    return Census(known, unknown)


def sample(store: BodyStore, bodies: int) -> Census:
    """Count only so many of the oldest bodies, whose deliveries are over."""
    keys = list(islice(store.keys(), bodies))
    unknown = sum(1 for key in _without_row(keys) if is_settled(key))
    return Census(len(keys) - unknown, unknown)


def without_row(store: BodyStore) -> Iterator[list[str]]:
    """Yield the keys of bodies that have no row, sorted, in batches."""
    for batch in batches(store.keys()):
        if found := [key for key in _without_row(batch) if is_settled(key)]:
            yield found


def in_quarantine_without_row(store: BodyStore, older_than_days: float = 0) -> Iterator[list[QuarantinedBody]]:
    """Yield the bodies in the quarantine that have no row, sorted by name, in batches."""
    for batch in batches(store.quarantined(older_than_days)):
        unknown = set(_without_row([body.key for body in batch]))
        if found := [body for body in batch if body.key in unknown]:
            yield found


def in_quarantine_with_row(store: BodyStore) -> Iterator[list[QuarantinedBody]]:
    """Yield the bodies in the quarantine that have a row, sorted by name, in batches.

    A repair with another database put them there. That database did not know them.
    """
    for batch in batches(store.quarantined()):
        unknown = set(_without_row([body.key for body in batch]))
        if found := [body for body in batch if body.key not in unknown]:
            yield found


def is_settled(key: str) -> bool:
    """Return True for a body so old that its delivery is over."""
    milliseconds, _chance = sortable_ids.parts(key)
    return time.time() - milliseconds / 1000 > GRACE_SECONDS


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the items in batches of BATCH_ROWS."""
    source = iter(items)
    while batch := list(islice(source, BATCH_ROWS)):
        yield batch


def _without_row(keys: list[str]) -> list[str]:
    known = set(Body.objects.filter(key__in=keys).values_list("key", flat=True))
    return sorted(key for key in keys if key not in known)
