"""Random choices of the model tests: by hypothesis, for short histories, or by a seed, for long ones."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class ChoiceSource(Protocol):
    def number(self, least: int, most: int) -> int: ...

    def one(self, things: Sequence[T]) -> T: ...

    def some(self, things: Sequence[T], *, least: int = 0, most: int = 6) -> list[T]:
        """Different ones, in their order."""


class HypothesisChoice:
    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def number(self, least: int, most: int) -> int:
        return self._data.draw(st.integers(least, most))

    def one(self, things: Sequence[T]) -> T:
        return self._data.draw(st.sampled_from(things))

    def some(self, things: Sequence[T], *, least: int = 0, most: int = 6) -> list[T]:
        places = st.sets(st.integers(0, len(things) - 1), min_size=least, max_size=min(most, len(things)))
        return [things[place] for place in sorted(self._data.draw(places))] if things else []


class SeededChoice:
    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def number(self, least: int, most: int) -> int:
        return self._random.randint(least, most)

    def one(self, things: Sequence[T]) -> T:
        return self._random.choice(things)

    def some(self, things: Sequence[T], *, least: int = 0, most: int = 6) -> list[T]:
        count = self._random.randint(least, max(least, min(most, len(things))))
        return [things[place] for place in sorted(self._random.sample(range(len(things)), count))] if things else []
