"""Holds docs/requirements.md against the run, as a pytest plugin: what is built and binding needs a passing test.

A test names its rows by `@pytest.mark.req("P-013")`. Only a run of everything is held to the list; with a path, -k or
-m it is left alone. Loaded by `-p tests.requirements`; under pytest-xdist the controller collects.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parent.parent / "docs" / "requirements.md"
STATES = frozenset({"built", "due", "later", "not offered"})
_SELECTING_OPTIONS = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "lf", "stepwise", "collectonly")


@dataclass(frozen=True)
class Row:
    id: str
    level: str
    requirement: str
    source: str
    state: str
    note: str

    @property
    def binding(self) -> bool:
        """An M row or a release blocker, in a part that is there."""
        return self.state == "built" and (self.level.startswith("M") or "blocker" in self.level)


def rows(document: str) -> list[Row]:
    """Read the tables of docs/requirements.md."""
    lines = [line for line in document.splitlines() if line.startswith("| P-")]
    return [Row(*(cell.strip() for cell in line.split("|")[1:-1])) for line in lines]


def missing(document: list[Row], proven: set[str]) -> list[Row]:
    """Return the rows that need a passing test and have none."""
    return [row for row in document if row.binding and row.id not in proven]


class Ledger:
    """The rows proven in this run, and the verdict at its end."""

    def __init__(self, document: list[Row]) -> None:
        self.document = document
        self.proven: set[str] = set()
        self.unproven: list[Row] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.proven.update(str(value) for name, value in report.user_properties if name == "req")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if _everything_ran(session.config):
            self.unproven = missing(self.document, self.proven)
        if self.unproven and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unproven:
            terminalreporter.section("requirements without a passing test")
        for row in self.unproven:
            terminalreporter.line(f"{row.id} ({row.level}) {row.requirement}")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Ledger(rows(DOCUMENT.read_text())), "requirements-ledger")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test's ids to its report, which also crosses from the workers; refuse ids that are in no row."""
    known = {row.id for row in rows(DOCUMENT.read_text())}
    for item in items:
        ids = [mark.args[0] for mark in item.iter_markers("req")]
        if unknown := [id_ for id_ in ids if id_ not in known]:
            raise pytest.UsageError(f"{item.nodeid} bears {unknown}, which docs/requirements.md does not have")
        item.user_properties.extend(("req", id_) for id_ in ids)


def _everything_ran(config: pytest.Config) -> bool:
    chosen = config.args_source is not pytest.Config.ArgsSource.TESTPATHS
    return not chosen and not any(config.getoption(name, None) for name in _SELECTING_OPTIONS)
