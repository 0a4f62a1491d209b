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
from mailstore.maildrop.diary_record import Visit
from mailstore.pg import array_literals
from mailstore.sql.statements.diary import FOLD_DIARY

if TYPE_CHECKING:
    from mailstore.pg.statement import Parameters

FOLDS_AT_MOST = 20_000  # with more rows than this they are written earlier; twice as many wait while Postgres is away
FOLD_MINUTES = timedelta(minutes=1)

Common = tuple[object, ...]  # what the sessions of one row have in common


@dataclass(slots=True)
class Fold:
    """Sessions that are alike and become one row."""

    first: Visit
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
        self._waiting: dict[Common, Fold] = {}
        self._begun: set[Common] = set()  # rows that are in the database
        self._emptied_at = now

    def add(self, visit: Visit) -> None:
        """Add one session to its row; drop it if too many rows wait."""
        key = _common(visit)
        fold = self._waiting.get(key)
        if fold is not None:
            fold.add(1, visit.ended_at, visit.octets_out)
        elif len(self._waiting) < 2 * FOLDS_AT_MOST:
            self._waiting[key] = Fold(visit, 1, visit.ended_at, visit.octets_out)

    def due(self, now: datetime, *, every: bool) -> dict[Common, Fold]:
        """Return the rows to write now, and forget them; with `every` all of them."""
        if every or len(self._waiting) >= FOLDS_AT_MOST or now - self._emptied_at >= FOLD_MINUTES:
            self._emptied_at = now
            due, self._waiting = self._waiting, {}
            return due
        due = {key: fold for key, fold in self._waiting.items() if key not in self._begun}
        for key in due:
            del self._waiting[key]
        return due

    def written(self, folds: dict[Common, Fold]) -> None:
        """Note that these rows are in the database."""
        if len(self._begun) > 2 * FOLDS_AT_MOST:
            self._begun.clear()
        self._begun.update(folds)

    def take_back(self, folds: dict[Common, Fold]) -> None:
        """Take rows back that were not written, and add the sessions that came since."""
        for key, fold in folds.items():
            later = self._waiting.get(key)
            if later is not None:
                fold.add(later.sessions, later.ended_at, later.octets_out)
            self._waiting[key] = fold


def fold_parameters(folds: dict[Common, Fold]) -> Parameters:
    """Return the parameters of FOLD_DIARY."""
    rows = folds.values()
    return FOLD_DIARY.values(
        **diary_record.shared_parameters([fold.first for fold in rows], (fold.ended_at for fold in rows)),
        octets_out=array_literals.bigints(fold.octets_out for fold in rows),
        folds=array_literals.octets(map(_digest, folds)),
        session_counts=array_literals.bigints(fold.sessions for fold in rows),
    )


def _common(visit: Visit) -> Common:
    at, who = visit.ended_at, visit.visitor
    return (who.mailbox, who.device, who.client, who.tls, visit.ended, visit.listed, at.hour, at.toordinal())


def _digest(common: Common) -> bytes:
    """Return the key by which any worker finds the row again."""
    return hashlib.blake2b(repr(common).encode(), digest_size=16).digest()
