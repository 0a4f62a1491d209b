"""Looks for mail programs that are set up wrongly; what counts as that, `detectors` says."""

from __future__ import annotations

from mailstore.store import detectors
from mailstore.store.sweeping.steps import Round, Step


def _look(round: Round) -> tuple[int]:
    return (detectors.look(round.now),)


def _act(round: Round) -> tuple[int]:
    return (0,) if round.stop() else (detectors.detect(round.now),)


FINDINGS = Step(("findings",), _look, _act)
