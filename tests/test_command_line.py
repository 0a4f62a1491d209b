"""How a command ends that cannot begin: one line on stderr, with the exit code that scripts look at."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.management.command_runner import one_line, process
from tests.test_readme import OURS
from tests.up.programs import REPOSITORY

NOWHERE = "postgres://nobody@127.0.0.1:1/none"


@pytest.mark.parametrize("command", ["up", "pop3d", "lmtpd"])
def test_a_wrong_option_of_a_server_is_one_line_and_exit_2(db: None, command: str) -> None:
    done = process(command, "--nonsense")
    assert done.returncode == 2
    assert one_line(done.stderr).startswith("popadmin: unrecognized arguments: --nonsense")


@pytest.mark.parametrize(("command", "hint"), [("pop3", "did you mean pop3d?"), ("x", "there is no command 'x' (")])
def test_an_unknown_command_is_one_line_and_exit_2(db: None, command: str, hint: str) -> None:
    done = process(command)
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


@pytest.mark.parametrize("arguments", [["--version"], ["version"], ["mailbox", "--version"]])
def test_the_version_is_ours_in_a_checkout_too(arguments: list[str]) -> None:
    ours = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    done = subprocess.run([sys.executable, "manage.py", *arguments], cwd=REPOSITORY, capture_output=True, check=True)
    assert done.stdout.decode() == f"{ours}\n"


@pytest.mark.parametrize("arguments", [["help"], ["--help"], []])
def test_help_lists_our_commands_first_each_with_what_it_does(db: None, arguments: list[str]) -> None:
    ours, _heading, djangos = process(*arguments).stdout.decode().partition("\nDjango's own:\n")
    lines = re.findall(r"^  (\S+) +\S.{10,}", ours, re.MULTILINE)
    assert lines == OURS
    assert {"migrate", "shell"} <= set(re.split(r"[,\s]+", djangos))
    assert not set(OURS) & set(re.split(r"[,\s]+", djangos))


def test_help_with_a_wrong_setting_still_helps(db: None) -> None:
    done = process("help", POP3_WORKERS="none")
    assert done.returncode == 0
    assert b"POP3_WORKERS" in done.stdout


@pytest.mark.parametrize("arguments", [["domain", "list"], ["migrate"]])
def test_where_nothing_runs_the_line_names_the_folder_and_the_ways_to_say_another(
    tmp_path: Path, arguments: list[str]
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"POPADMIN_DATA_DIR": str(tmp_path), "POPADMIN_GENERATE": "false"}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=REPOSITORY, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 1
    line = one_line(done.stderr)
    assert line.startswith(f"popadmin: no popadmin runs on the data folder {tmp_path}: ")
    assert "POPADMIN_DATA_DIR" in line
    assert "DATABASE_URL" in line
