"""What a step does to the machine: whether it is needed, and in one line why it could not be done."""

from __future__ import annotations

import grp
import os
from pathlib import Path

import pytest

from popadmin.quickstart.action import Failed, Run, Write


def test_a_file_that_was_written_and_not_yet_guarded_is_not_done(tmp_path: Path) -> None:
    group = grp.getgrgid(os.getgid()).gr_name
    action = Write(tmp_path / "settings", "SECRET_KEY=x\n", mode=0o640, group=group)
    action.path.write_text(action.content)
    action.path.chmod(0o644)
    assert not action.is_done()
    action.do()
    assert action.is_done()
    assert action.path.stat().st_mode & 0o777 == 0o640


def test_the_mode_of_a_file_without_secrets_is_the_affair_of_the_operator(tmp_path: Path) -> None:
    action = Write(tmp_path / "unit", "[Service]\n")
    action.do()
    action.path.chmod(0o600)
    assert action.is_done()


def test_a_program_that_is_missing_is_told_by_its_name() -> None:
    with pytest.raises(Failed, match="make the database: no-such-program is not installed"):
        Run("make the database", ("no-such-program",)).do()
