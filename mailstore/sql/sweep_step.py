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
    """One pass: the body store, its moment, whether it is to end between two batches, and the tables it works on.

    A preview looks at all mailboxes `but` some. Those it looks at apart, on copies of their rows.
    """

    store: BodyStore
    now: datetime
    stop: Callable[[], bool] = lambda: False
    but: Sequence[int] = ()
    tables: Tables = REAL
    began_seconds: float = field(default_factory=monotonic)

    def moment(self) -> datetime:
        """When something happens in it: a pass may take minutes, and what is due was so at its beginning."""
        return self.now + timedelta(seconds=monotonic() - self.began_seconds)


Act = Callable[[SweepContext], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a pass does. `look` counts what `act` would do; both return a number for each of `figures`.

    `sways` yields the mailboxes in which the step decides on what other steps find, or they on what it finds. There a
    preview makes every step that can be `copied` on copies of the rows: its statements take the tables of the context.
    A step without `look` does something only in those mailboxes.
    """

    figures: tuple[str, ...]
    look: Act | None
    act: Act
    sways: Callable[[SweepContext], Iterable[int]] = lambda _context: ()
    copied: Act | None = None

    def looked(self, context: SweepContext) -> tuple[int, ...]:
        """Return what it would do in all mailboxes but `context.but`."""
        return (0,) * len(self.figures) if self.look is None else self.look(context)


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
