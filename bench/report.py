"""The figures as lines, as the Markdown table at the end, and as JSON. It computes only the ratio."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.rounds import Result, ratio
from bench.scenarios import Figure, Scenario
from bench.wait_scenarios import WaitScenario, WaitTimes

Results = dict[str, dict[str, Result]]  # by scenario, by side
HEAD = (
    "| scenario | per | rate/s | CPU-ms | p50 ms | p99 ms "
    "| Dovecot rate/s | CPU-ms | p50 ms | p99 ms | compared | ratio | goal |"
)
WAIT_HEAD = "| waiting client; attack | control p50 | p99 | under attack p50 | p99 | longest | goal of p99 |"
MISSING = "-"


def line(scenario: Scenario, side: str, result: Result) -> str:
    """Return the line of one side's result, to print as soon as it is known."""
    memory = f"{result.kilobytes:9.1f} KB each" if result.kilobytes is not None else ""
    resumed = f"  {result.resumed_share:.0%} resumed" if result.resumed_share else ""
    p50, p99 = _number(result.p50_ms), _number(result.p99_ms)
    figures = memory or f"{result.cpu_ms:9.3f} CPU-ms  {result.per_second:8.0f}/s  p50 {p50} ms  p99 {p99} ms"
    return f"{scenario.name:17} {side:8} {figures}{resumed}"


def table(scenarios: list[Scenario], results: Results, ours: str, theirs: str) -> str:
    rule = "|" + " --- |" * (HEAD.count("|") - 1)
    rows = [_row(scenario, results[scenario.name], ours, theirs) for scenario in scenarios]
    return "\n".join([HEAD, rule, *rows])


def _row(scenario: Scenario, results: dict[str, Result], ours: str, theirs: str) -> str:
    cells = [scenario.title, scenario.unit, *_cells(results.get(ours)), *_cells(results.get(theirs))]
    cells += [scenario.figure.value, _ratio(results, ours, theirs), _goal(scenario)]
    return "| " + " | ".join(cells) + " |"


def _cells(result: Result | None) -> list[str]:
    if result is None:
        return [MISSING] * 4
    if result.kilobytes is not None:
        return [f"{result.per_second:.0f}", f"{result.kilobytes:.1f} KB", MISSING, MISSING]
    return [f"{result.per_second:.0f}", _number(result.cpu_ms), _number(result.p50_ms), _number(result.p99_ms)]


def _number(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def _ratio(results: dict[str, Result], ours: str, theirs: str) -> str:
    return f"{ratio(results[ours], results[theirs]):.3f}" if {ours, theirs} <= results.keys() else MISSING


def _goal(scenario: Scenario) -> str:
    if scenario.goal is None:
        return MISSING
    return f"<= {scenario.goal:g} KB" if scenario.figure is Figure.MEMORY else f"<= {scenario.goal:.2f}"


def wait_line(wait: WaitScenario, times: WaitTimes) -> str:
    """Return the figures of one wait scenario, to print as soon as they are known."""
    control, attacked = (
        "  ".join(f"{value:.2f}" for value in _waits(times)) for times in (times.control, times.attacked)
    )
    return (
        f"{wait.scenario:17} {wait.title}: p50, p99, longest {control} {wait.unit}, under attack {attacked} {wait.unit}"
    )


def wait_table(waits: Sequence[WaitScenario], results: Sequence[WaitTimes]) -> str:
    rule = "|" + " --- |" * (WAIT_HEAD.count("|") - 1)
    return "\n".join([WAIT_HEAD, rule, *map(_wait_row, waits, results)])


def _wait_row(wait: WaitScenario, times: WaitTimes) -> str:
    cells = [wait.title, *(f"{value:.2f}" for value in _waits(times.control)[:2] + _waits(times.attacked))]
    return "| " + " | ".join([*cells, f"<= control + {wait.goal:g} {wait.unit}"]) + " |"


def _waits(times: Sequence[float]) -> tuple[float, float, float]:
    """Return the median, the 99th percentile and the greatest value."""
    return times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)], times[-1]


def write_json(file: Path, facts: dict[str, str], results: Results) -> None:
    tree = {name: {side: asdict(result) for side, result in sides.items()} for name, sides in results.items()}
    file.write_text(json.dumps({"machine": facts, "results": tree}, indent=2) + "\n")
