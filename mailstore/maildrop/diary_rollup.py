"""Polls and refused sign-ins, the many: those of one hour that have all in common are one row of the diary.

The row says how many they were, when the first began and when the last ended. A row that is new is due at once, more
sessions for one that is written only once a minute.
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

FOLDS_AT_MOST = 20_000  # a busier minute is written earlier; twice as many wait for a database that is away
FOLD_MINUTES = timedelta(minutes=1)


Common = tuple[object, ...]  # what the sessions of one row have in common


@dataclass(slots=True)
class Fold:
    """Sessions that are alike."""

    first: Visit
    sessions: int
    ended_at: datetime
    octets_out: int

    def join(self, sessions: int, ended_at: datetime, octets_out: int) -> None:
        self.sessions += sessions
        self.ended_at = ended_at
        self.octets_out += octets_out


class DiaryRollup:
    """What one worker has not written yet."""

    def __init__(self, now: datetime) -> None:
        self._waiting: dict[Common, Fold] = {}
        self._begun: set[Common] = set()  # those that have a row
        self._emptied_at = now

    def add(self, visit: Visit) -> None:
        key = _common(visit)
        fold = self._waiting.get(key)
        if fold is not None:
            fold.join(1, visit.ended_at, visit.octets_out)
        elif len(self._waiting) < 2 * FOLDS_AT_MOST:
            self._waiting[key] = Fold(visit, 1, visit.ended_at, visit.octets_out)

    def due(self, now: datetime, *, every: bool) -> dict[Common, Fold]:
        """Take what is to be written now."""
        if every or len(self._waiting) >= FOLDS_AT_MOST or now - self._emptied_at >= FOLD_MINUTES:
            self._emptied_at = now
            due, self._waiting = self._waiting, {}
            return due
        due = {key: fold for key, fold in self._waiting.items() if key not in self._begun}
        for key in due:
            del self._waiting[key]
        return due

    def written(self, folds: dict[Common, Fold]) -> None:
        if len(self._begun) > 2 * FOLDS_AT_MOST:
            self._begun.clear()
        self._begun.update(folds)

    def take_back(self, folds: dict[Common, Fold]) -> None:
        """They were not written; what came since joins them."""
        for key, fold in folds.items():
            later = self._waiting.get(key)
            if later is not None:
                fold.join(later.sessions, later.ended_at, later.octets_out)
            self._waiting[key] = fold


def columns(folds: dict[Common, Fold]) -> Parameters:
    """Return the parameters of FOLD_DIARY."""
    rows = folds.values()
    return FOLD_DIARY.values(
        **diary_record.visited([fold.first for fold in rows], (fold.ended_at for fold in rows)),
        octets_out=array_literals.bigints(fold.octets_out for fold in rows),
        folds=array_literals.octets(map(_digest, folds)),
        session_counts=array_literals.bigints(fold.sessions for fold in rows),
    )


def _common(visit: Visit) -> Common:
    at, who = visit.ended_at, visit.visitor
    return (who.mailbox, who.device, who.client, who.tls, visit.ended, visit.listed, at.hour, at.toordinal())


def _digest(common: Common) -> bytes:
    """By what the row is found again, also by another worker."""
    return hashlib.blake2b(repr(common).encode(), digest_size=16).digest()
