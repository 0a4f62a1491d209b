"""Ties the body store to the database where nothing speaks against it, and says in the log where something does."""

from __future__ import annotations

import logging

from mailstore.retention import store_tie
from mailstore.sql.sweep_step import Step, SweepContext

log = logging.getLogger("popadmin.sweep")


def _look(_round: SweepContext) -> tuple[()]:
    return ()


def _act(round: SweepContext) -> tuple[()]:
    told = store_tie.settle(round.store)
    if told is not None:
        log.error("the body store belongs to another database: %s", told)
    return ()


TIED = Step((), _look, _act)
