"""The unit of the site and those of docs/install.md: they start what is there, for a service that lasts."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path

from django.core.management import get_commands

from popadmin.up.services import gunicorn
from tests.up.programs import REPOSITORY

GUIDE = (REPOSITORY / "docs" / "install.md").read_text()
PYTHON = "/opt/popadmin/.venv/bin/"
BEGINS = f"/usr/bin/env --ignore-signal=HUP {PYTHON}"


def unit() -> configparser.SectionProxy:
    """The `[Service]` of the unit, as the guide fills it in."""
    text = (REPOSITORY / "deploy/systemd/popadmin.service").read_text()
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), strict=False)  # some keys stand twice
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names of systemd have capitals
    parser.read_string(text.replace("@PROGRAM@", f"{PYTHON}python manage.py"))
    return parser["Service"]


def programs() -> dict[str, list[str]]:
    """What each unit starts, behind the folder of programs."""
    rows = re.findall(r"^\| `(popadmin-\w+)` \| `(.+)` \|$", GUIDE, re.MULTILINE)
    commands = dict(rows) | {"popadmin": unit()["ExecStart"].removeprefix(BEGINS)}
    return {name: shlex.split(command) for name, command in commands.items()}


def test_a_service_is_started_again_however_it_ends_and_a_hangup_reloads_it() -> None:
    assert unit()["Restart"] == "always"
    assert unit()["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert unit()["ExecStart"].startswith(BEGINS)
    assert f"ExecStart, after `{BEGINS}`" in GUIDE
    assert f"program='{PYTHON}python /opt/popadmin/manage.py'" in GUIDE


def test_every_part_has_a_unit_and_every_unit_starts_a_command_of_ours() -> None:
    started = {name: command[2] for name, command in programs().items() if command[:2] == ["python", "manage.py"]}
    assert started == {
        "popadmin": "up",
        "popadmin-pop3d": "pop3d",
        "popadmin-lmtpd": "lmtpd",
        "popadmin-sweep": "sweep",
    }
    assert set(started.values()) <= get_commands().keys()


def test_the_pages_are_served_as_up_serves_them() -> None:
    program, *options = programs()["popadmin-web"]
    assert program == "gunicorn"
    ours = set(gunicorn(["127.0.0.1:8000"])[3:])
    assert {option for option in options if not option.startswith("--bind")} <= ours


def test_gunicorn_takes_the_options_of_the_unit() -> None:
    program = Path(sys.executable).parent / "gunicorn"
    options = programs()["popadmin-web"][1:]
    done = subprocess.run([program, "--check-config", *options], cwd=REPOSITORY, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_env_can_ignore_a_signal_as_the_units_want_it() -> None:
    look = "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)"
    done = subprocess.run(["env", "--ignore-signal=HUP", sys.executable, "-c", look], capture_output=True, check=True)
    assert done.stdout == b"True\n"
