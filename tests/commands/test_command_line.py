"""How a command ends that cannot begin: one line on stderr, with the exit code that scripts look at."""

from __future__ import annotations

import pytest

from tests.commands.shell import one_line, process

NOWHERE = "postgres://nobody@127.0.0.1:1/none"


@pytest.mark.parametrize("command", ["up", "pop3d", "lmtpd"])
def test_a_wrong_option_of_a_server_is_one_line_and_exit_2(db: None, command: str) -> None:
    done = process(command, "--nonsense")
    assert done.returncode == 2
    assert one_line(done.stderr).startswith("popadmin: unrecognized arguments: --nonsense")


@pytest.mark.parametrize(("typed", "hint"), [("pop3", "did you mean pop3d?"), ("x", "there is no command 'x' (")])
def test_an_unknown_command_is_one_line_and_exit_2(db: None, typed: str, hint: str) -> None:
    done = process(typed)
    assert done.returncode == 2
    assert hint in one_line(done.stderr)


def test_an_unknown_command_does_not_hide_a_wrong_setting(db: None) -> None:
    done = process("pop3", POP3_WORKERS="none")
    assert done.returncode == 2
    assert "POP3_WORKERS" in one_line(done.stderr)


def test_migrating_a_database_that_is_away_is_one_line_that_says_why(db: None) -> None:
    done = process("migrate", DATABASE_URL=NOWHERE)
    assert done.returncode == 1
    line = one_line(done.stderr)
    assert line.startswith("popadmin: DATABASE_URL: ")
    assert "Connection refused" in line


def test_whoever_asks_for_the_traceback_gets_it(db: None) -> None:
    assert b"Traceback" in process("migrate", "--traceback", DATABASE_URL=NOWHERE).stderr
