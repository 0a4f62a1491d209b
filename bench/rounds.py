"""Runs the turns of a scenario, all sides in alternation, and returns their medians. It prints nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from bench.client import WrongAnswer
from bench.scenarios import Figure, Scenario
from bench.side import Side
from bench.workloads import SETTLE_SECONDS, Turn

IDLE_SECONDS = 2.0
LOG_LINES = 12


@dataclass(frozen=True, slots=True)
class Pace:
    """How many rounds a scenario has, and how long a turn takes."""

    rounds: int
    turn_seconds: float


FULL = Pace(rounds=4, turn_seconds=0.8)
QUICK = Pace(rounds=1, turn_seconds=0.6)


@dataclass(frozen=True, slots=True)
class Result:
    """One scenario on one side: medians over its turns, percentiles over all their latencies.

    `compared` is the scenario's figure, turn by turn.
    """

    per_second: float
    cpu_ms: float
    p50_ms: float | None
    p99_ms: float | None
    kilobytes: float | None
    resumed_share: float
    compared: tuple[float, ...]


def ratio(ours: Result, theirs: Result) -> float:
    """Return the median of the ratios of all rounds: the two turns of a round found the machine in the same state."""
    pairs = zip(ours.compared, theirs.compared, strict=True)
    return median(one / other for one, other in pairs)


def idle_share(side: Side) -> float:
    """Return the CPU-seconds that an idle side spends in a second."""
    before = side.meter.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    return (side.meter.cpu_seconds() - before) / IDLE_SECONDS


def run(scenario: Scenario, sides: Sequence[Side], idle: dict[str, float], pace: Pace) -> dict[str, Result]:
    """Warm each side up, then run the rounds; the side that goes first changes from round to round."""
    turns: dict[str, list[Turn]] = {side.name: [] for side in sides}
    for side in sides:
        with _named_failure(scenario, side):
            scenario.workload.warm_up(side)
    for side in _order(sides, 1 if scenario.figure is Figure.MEMORY else pace.rounds):
        with _named_failure(scenario, side):
            turns[side.name].append(scenario.workload.turn(side, pace.turn_seconds))
    return {side.name: _result(scenario.figure, turns[side.name], idle[side.name]) for side in sides}


@contextmanager
def _named_failure(scenario: Scenario, side: Side) -> Iterator[None]:
    """Add the scenario, the side and the end of its log to a WrongAnswer: its folder is about to be removed."""
    try:
        yield
    except WrongAnswer as error:
        lines = side.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        raise WrongAnswer("\n".join([f"{scenario.name}, {side.name}: {error}", *lines])) from error


def _order(sides: Sequence[Side], rounds: int) -> Iterator[Side]:
    for number in range(rounds):
        yield from sides if number % 2 == 0 else reversed(sides)


def _result(figure: Figure, turns: Sequence[Turn], idle: float) -> Result:
    latencies = sorted(value for turn in turns for value in turn.latencies)
    cpu_ms = [_cpu_ms(turn, idle) for turn in turns]
    compared = {
        Figure.CPU: cpu_ms,
        Figure.TIME: [_percentile(sorted(turn.latencies), 50) for turn in turns],
        Figure.MEMORY: [turn.kilobytes for turn in turns],
    }
    return Result(
        per_second=median(turn.units / turn.seconds for turn in turns),
        cpu_ms=median(cpu_ms),
        p50_ms=_percentile(latencies, 50),
        p99_ms=_percentile(latencies, 99),
        kilobytes=turns[0].kilobytes,
        resumed_share=sum(turn.resumed for turn in turns) / max(1, len(latencies)),
        compared=tuple(value or 0.0 for value in compared[figure]),
    )


def _cpu_ms(turn: Turn, idle: float) -> float:
    """Return the CPU time of one unit, without what an idle side would have spent."""
    return 1000 * max(0.0, turn.cpu_seconds - idle * (turn.seconds + SETTLE_SECONDS)) / turn.units


def _percentile(latencies: Sequence[float], percent: int) -> float | None:
    if not latencies:
        return None
    return 1000 * latencies[min(len(latencies) - 1, len(latencies) * percent // 100)]
