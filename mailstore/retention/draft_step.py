"""Destroys what dead deliveries have left beside the bodies. First, since it fails at once when the store is away."""

from __future__ import annotations

from mailstore.sql.sweep_step import Step, SweepContext

DRAFT_SECONDS = 24 * 3600  # no delivery takes so long


def _look(round: SweepContext) -> tuple[int]:
    return (sum(1 for _draft in round.store.litter(DRAFT_SECONDS)),)


def _act(round: SweepContext) -> tuple[int]:
    count = 0
    for name in round.store.litter(DRAFT_SECONDS):
        if round.stop():
            break
        round.store.remove(name)
        count += 1
    return (count,)


DRAFTS = Step(("drafts",), _look, _act)
