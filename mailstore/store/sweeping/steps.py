"""What a step of the sweep is, and what it is given; the steps are files of their own, their order is the pass's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mailstore.ports import BodyStore

BATCH_ROWS = 500  # of one transaction, where nobody waits for it


@dataclass(frozen=True, slots=True)
class Round:
    """One pass: the bodies, its moment, whether it is to end between two batches, and of which mailbox `only` it is."""

    store: BodyStore
    now: datetime
    stop: Callable[[], bool] = lambda: False
    only: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a pass does. `look` counts what `act` would do; both return a number for each of `figures`."""

    figures: tuple[str, ...]
    look: Callable[[Round], tuple[int, ...]]
    act: Callable[[Round], tuple[int, ...]]
