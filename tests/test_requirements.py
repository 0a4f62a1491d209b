"""The list of requirements: whole, readable, and held against the run."""

from __future__ import annotations

from dataclasses import replace

from tests.requirements import DOCUMENT, STATES, Row, missing, rows

ROWS = rows(DOCUMENT.read_text())
ROW = Row(id="P-001", level="M", requirement="x", source="y", state="built", note="-")


def test_every_id_is_there_once() -> None:
    assert sorted(row.id for row in ROWS) == [f"P-{number:03}" for number in range(1, len(ROWS) + 1)]
    assert len(ROWS) >= 200


def test_every_row_is_filled_in_and_what_is_not_offered_says_why() -> None:
    for row in ROWS:
        assert row.state in STATES, row
        assert row.level.split(",")[0] in {"M", "M/S", "M/Pj", "S", "O", "Pj"}, row
        assert len(row.requirement) > 10, row
        assert len(row.source) > 1, row
        assert row.state not in {"not offered", "later"} or len(row.note) > 5, row


def test_a_binding_row_without_a_passing_test_is_missing() -> None:
    assert missing([ROW], set()) == [ROW]
    assert missing([ROW], {"P-001"}) == []


def test_only_built_rows_that_must_be_are_held_against_the_run() -> None:
    project = replace(ROW, level="Pj")
    assert missing([project, replace(ROW, state="due"), replace(ROW, state="not offered")], set()) == []
    blocker = replace(ROW, level="Pj, blocker")
    assert missing([blocker], set()) == [blocker]
