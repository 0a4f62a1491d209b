"""Destroys rows in recovery that are due, for whatever reason; which, the steps say (`rested`, `capped`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mailstore.directory import message_purge
from mailstore.sql import prepared_statement
from mailstore.sql.locked_batch import FOUND_ROWS, Pace, locked
from mailstore.sql.mailbox_window import windows
from mailstore.sql.sweep_step import SweepContext


@dataclass(frozen=True, slots=True)
class Purge:
    """`due` is SQL from FROM on: rows m (id, mailbox_id, removed) of mailboxes %(boxes)s that are due at %(now)s.

    Of one mailbox it may give some at a time, what left first: it is asked again until nothing is due.
    """

    due: str
    _find: str = field(init=False)
    _judge: str = field(init=False)

    def __post_init__(self) -> None:
        find = f"SELECT m.mailbox_id, m.id {self.due} ORDER BY m.mailbox_id, m.removed LIMIT {FOUND_ROWS}"
        object.__setattr__(self, "_find", find)
        object.__setattr__(self, "_judge", f"SELECT m.id {self.due} AND m.id = ANY(%(messages)s)")

    def act(self, round: SweepContext) -> tuple[int]:
        """Destroy all that is due; returns how many."""
        return (sum(self._purged(round)),)

    def _purged(self, round: SweepContext) -> Iterator[int]:
        """Yield how many rows went, some thousands at a time."""
        pace = Pace()
        for keys in windows(round):
            count = 1
            while count and not round.stop():
                count = self._some_of(keys, pace, round)
                yield count

    def _some_of(self, keys: Sequence[int], pace: Pace, round: SweepContext) -> int:
        found = prepared_statement.fetch(self._find, {"boxes": list(keys), "now": round.now})
        return sum(self._purge(batch, round) for batch in pace.batches(found) if not round.stop())

    def _purge(self, batch: Sequence[tuple[int, int]], round: SweepContext) -> int:
        """Behind the locks, what was restored or held before is seen."""
        boxes = sorted({mailbox for mailbox, _message in batch})
        messages = [message for _mailbox, message in batch]
        with locked(boxes, round.tables) as free:
            due = prepared_statement.fetch(self._judge, {"boxes": free, "messages": messages, "now": round.now})
            return message_purge.messages([key for (key,) in due], round.tables) if due else 0
