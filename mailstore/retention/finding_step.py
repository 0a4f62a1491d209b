"""Looks for mail programs that are set up wrongly; what counts as that, `detectors` says."""

from __future__ import annotations

from mailstore.retention import finding_detectors
from mailstore.sql.sweep_step import Step, SweepContext


def _look(round: SweepContext) -> tuple[int]:
    return (finding_detectors.look(round.now),)


def _act(round: SweepContext) -> tuple[int]:
    return (0,) if round.stop() else (finding_detectors.detect(round.now),)


FINDINGS = Step(("findings",), _look, _act)
