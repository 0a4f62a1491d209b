"""Turns of all sides in alternation, and the medians of them; prints nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from bench.scenarios import Figure, Scenario
from bench.side import Side
from bench.talk import WrongAnswer
from bench.works import SETTLE_SECONDS, Turn

IDLE_SECONDS = 2.0
LOG_LINES = 12


@dataclass(frozen=True, slots=True)
class Pace:
    """How long it all takes."""

    rounds: int
    turn_seconds: float


UNHURRIED = Pace(rounds=4, turn_seconds=0.8)
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
    """The median over the rounds: the two turns of a round shared the machine's mood."""
    pairs = zip(ours.compared, theirs.compared, strict=True)
    return median(one / other for one, other in pairs)


def idle_share(side: Side) -> float:
    """CPU-seconds a second that a side spends on nothing."""
    before = side.meter.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    return (side.meter.cpu_seconds() - before) / IDLE_SECONDS


def run(scenario: Scenario, sides: Sequence[Side], idle: dict[str, float], pace: Pace) -> dict[str, Result]:
    """A warm-up each, then the rounds; the side that goes first changes from round to round."""
    turns: dict[str, list[Turn]] = {side.name: [] for side in sides}
    for side in sides:
        with _blamed(scenario, side):
            scenario.work.warm_up(side)
    for side in _order(sides, 1 if scenario.figure is Figure.MEMORY else pace.rounds):
        with _blamed(scenario, side):
            turns[side.name].append(scenario.work.turn(side, pace.turn_seconds))
    return {side.name: _result(scenario.figure, turns[side.name], idle[side.name]) for side in sides}


@contextmanager
def _blamed(scenario: Scenario, side: Side) -> Iterator[None]:
    """Say who gave the wrong answer, and what its log says: the folder is gone a moment later."""
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
    """Of one unit, less what the side would have spent on nothing."""
    return 1000 * max(0.0, turn.cpu_seconds - idle * (turn.seconds + SETTLE_SECONDS)) / turn.units


def _percentile(latencies: Sequence[float], percent: int) -> float | None:
    if not latencies:
        return None
    return 1000 * latencies[min(len(latencies) - 1, len(latencies) * percent // 100)]
