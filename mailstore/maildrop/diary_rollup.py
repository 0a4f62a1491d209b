"""Rolls up polls and refused sign-ins: those of one hour that are alike become one row of the diary.

The row says how many there were, when the first began and when the last ended. A new row is written at once; later
sessions are added to it once a minute.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mailstore.maildrop import diary_record
from mailstore.maildrop.diary_record import DiaryEntry
from mailstore.pg import array_literals
from mailstore.sql.statements.diary import ROLL_UP_DIARY

if TYPE_CHECKING:
    from mailstore.pg.statement import Parameters

ROWS_AT_MOST = 20_000  # with more rows than this they are written earlier; twice as many wait while Postgres is away
WRITE_INTERVAL = timedelta(minutes=1)

Common = tuple[object, ...]  # what the sessions of one row have in common


@dataclass(slots=True)
class RollupRow:
    """Sessions that are alike and become one row."""

    first: DiaryEntry
    sessions: int
    ended_at: datetime
    octets_out: int

    def add(self, sessions: int, ended_at: datetime, octets_out: int) -> None:
        self.sessions += sessions
        self.ended_at = ended_at
        self.octets_out += octets_out


class DiaryRollup:
    """The rows that one worker has not written yet."""

    def __init__(self, now: datetime) -> None:
        self._waiting: dict[Common, RollupRow] = {}
        self._begun: set[Common] = set()  # rows that are in the database
        self._emptied_at = now

    def add(self, entry: DiaryEntry) -> None:
        """Add one session to its row; drop it if too many rows wait."""
        key = _common(entry)
        row = self._waiting.get(key)
        if row is not None:
            row.add(1, entry.ended_at, entry.octets_out)
        elif len(self._waiting) < 2 * ROWS_AT_MOST:
            self._waiting[key] = RollupRow(entry, 1, entry.ended_at, entry.octets_out)

    def due(self, now: datetime, *, every: bool) -> dict[Common, RollupRow]:
        """Return the rows to write now, and forget them; with `every` all of them."""
        if every or len(self._waiting) >= ROWS_AT_MOST or now - self._emptied_at >= WRITE_INTERVAL:
            self._emptied_at = now
            due, self._waiting = self._waiting, {}
            return due
        due = {key: row for key, row in self._waiting.items() if key not in self._begun}
        for key in due:
            del self._waiting[key]
        return due

    def written(self, rows: dict[Common, RollupRow]) -> None:
        """Note that these rows are in the database."""
        if len(self._begun) > 2 * ROWS_AT_MOST:
            self._begun.clear()
        self._begun.update(rows)

    def take_back(self, rows: dict[Common, RollupRow]) -> None:
        """Take rows back that were not written, and add the sessions that came since."""
        for key, row in rows.items():
            later = self._waiting.get(key)
            if later is not None:
                row.add(later.sessions, later.ended_at, later.octets_out)
            self._waiting[key] = row


def rollup_parameters(rows: dict[Common, RollupRow]) -> Parameters:
    """Return the parameters of ROLL_UP_DIARY."""
    sums = rows.values()
    return ROLL_UP_DIARY.values(
        **diary_record.shared_parameters([row.first for row in sums], (row.ended_at for row in sums)),
        octets_out=array_literals.bigints(row.octets_out for row in sums),
        rollup_keys=array_literals.data(map(_digest, rows)),
        session_counts=array_literals.bigints(row.sessions for row in sums),
    )


def _common(entry: DiaryEntry) -> Common:
    at, who = entry.ended_at, entry.origin
    same = (who.mailbox, who.device, who.client, who.tls, entry.ended, entry.listed, at.hour, at.toordinal())
    return same if entry.list_requested else (*same, "no list")


def _digest(common: Common) -> bytes:
    """Return the key by which any worker finds the row again."""
    return hashlib.blake2b(repr(common).encode(), digest_size=16).digest()
