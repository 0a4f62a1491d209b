"""`quickstart --dry-run` says each step and changes nothing; without it only root gets anywhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from mailstore.mta.setup import HIDDEN
from popadmin.quickstart import units
from popadmin.quickstart.steps import OF_MACHINE, OF_SITE
from tests.up.programs import REPOSITORY, as_nobody


def quickstart(*words: str, prefix: Sequence[str] = (), **process: object) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, str(REPOSITORY / "manage.py"), "quickstart", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **process)


@pytest.mark.parametrize("mta", ["postfix", "exim"])
def test_a_dry_run_says_every_step_and_writes_nothing(mta: str) -> None:
    done = quickstart("--dry-run", "--yes", "--hostname", "mail.example.org", "--mta", mta, "--parts")
    assert (done.returncode, done.stderr) == (0, "")
    titles = {line.split("  ")[0] for line in done.stdout.splitlines()}
    assert {step.title for step in (*OF_MACHINE, *OF_SITE)} <= titles
    has_log = "MTA_LOG=" in done.stdout  # set only where the MTA has written one
    for part in units.PARTS:
        wanted = has_log or part.variable != "MTA_LOG"
        assert (f"write /etc/systemd/system/{part.unit}\n" in done.stdout) == wanted
    assert not Path("/etc/popadmin.env").exists()


def test_a_dry_run_shows_no_secret_of_a_file_that_it_does_not_write() -> None:
    done = quickstart("--dry-run", "--yes", "--hostname", "mail.example.org", "--mta", "postfix", "--parts")
    shown = dict(re.findall(r"^ +(SECRET_KEY|DATABASE_URL)=(.*)$", done.stdout, re.MULTILINE))
    assert shown == {"SECRET_KEY": HIDDEN, "DATABASE_URL": f"postgres://popadmin:{HIDDEN}@127.0.0.1/popadmin"}


def test_an_answer_of_another_form_ends_it_before_anything_is_done() -> None:
    done = quickstart("--dry-run", "--yes", "--hostname", "mail")
    assert done.returncode == 1
    assert done.stderr == "popadmin: --hostname takes a full host name such as mail.example.org, not 'mail'\n"


@pytest.mark.real
def test_whoever_is_not_root_is_told_so() -> None:
    done = quickstart("--yes", "--hostname", "mail.example.org", prefix=as_nobody(), env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 1
    assert "run it as root" in done.stderr
