"""What a step of the sweep is, what it is given, and how it walks through all mailboxes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from django.db import connection

from mailstore.ports.bodies import BodyStore
from mailstore.sql.tables import REAL, Tables

BATCH_ROWS = 500  # of one transaction, where nobody waits for it


@dataclass(frozen=True, slots=True)
class SweepContext:
    """One pass: the body store, its time, whether it must end between two batches, and the tables that it works on.

    A preview counts in all mailboxes `but` some. For those it makes the steps on copies of their rows.
    """

    store: BodyStore
    now: datetime
    stop: Callable[[], bool] = lambda: False
    but: Sequence[int] = ()
    tables: Tables = REAL
    began_seconds: float = field(default_factory=monotonic)

    def moment(self) -> datetime:
        """Return the present time, to record. What is due is decided by `now`: a pass may take minutes."""
        return self.now + timedelta(seconds=monotonic() - self.began_seconds)


Act = Callable[[SweepContext], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a pass does. `count` counts what `act` would do; both return a number for each of `count_names`.

    `coupled` yields the mailboxes where the result of this step changes that of another, or the other way round. For
    these mailboxes a preview runs `on_copies` of all steps that have it, on copies of the rows: its statements take the
    tables of the context. A step without `count` does something only in coupled mailboxes.
    """

    count_names: tuple[str, ...]
    count: Act | None
    act: Act
    coupled: Callable[[SweepContext], Iterable[int]] = lambda _context: ()
    on_copies: Act | None = None

    def counts(self, context: SweepContext) -> tuple[int, ...]:
        """Return what it would do in all mailboxes but `context.but`."""
        return (0,) * len(self.count_names) if self.count is None else self.count(context)


WINDOW_MAILBOXES = 1000
_WINDOW = f"SELECT id FROM {{mailbox}} WHERE id > %(after)s ORDER BY id LIMIT {WINDOW_MAILBOXES}"


def windows(context: SweepContext) -> Iterator[list[int]]:
    """Yield the keys of all mailboxes in order, until the pass is told to stop."""
    after = 0
    while not context.stop():
        with connection.cursor() as cursor:
            cursor.execute(_WINDOW.format(mailbox=context.tables.mailbox), {"after": after})
            keys = [key for (key,) in cursor.fetchall()]
        if not keys:
            return
        yield keys
        after = keys[-1]
