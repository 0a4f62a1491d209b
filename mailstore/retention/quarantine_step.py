"""Destroys bodies that a repair has set aside long ago."""

from __future__ import annotations

from mailstore.sql.sweep_step import Step, SweepContext

QUARANTINE_DAYS = 30


def _look(round: SweepContext) -> tuple[int]:
    return (sum(1 for _name in round.store.quarantined(QUARANTINE_DAYS)),)


def _act(round: SweepContext) -> tuple[int]:
    count = 0
    for name in round.store.quarantined(QUARANTINE_DAYS):
        if round.stop():
            break
        round.store.remove(name)
        count += 1
    return (count,)


QUARANTINE = Step(("quarantined",), _look, _act)
