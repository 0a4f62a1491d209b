"""Run the programs of an MTA, each with a time limit."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

SECONDS = 30
TEXT_CHARACTERS = 2000  # it is stored, and shown on a page
_FOLDERS = "/usr/sbin:/sbin"  # where MTAs have their programs; seldom in the PATH of a service


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended, and what it printed, without blank lines at the ends. A program that succeeds may warn."""

    code: int
    output: str
    errors: str = ""  # what it printed to stderr

    @property
    def good(self) -> bool:
        return self.code == 0

    @property
    def words(self) -> str:
        """Return all that it printed, for people; no more than TEXT_CHARACTERS of it."""
        return f"{self.output}\n{self.errors}".strip()[:TEXT_CHARACTERS]


def find(name: str) -> str | None:
    """Return the path of a program; None if it is not installed."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_FOLDERS}")


def run(command: Sequence[str], *, stdin: str = "", seconds: float = SECONDS) -> Outcome:
    """Run a program to its end. One that is missing, or takes too long, has failed; `errors` say so."""
    path = find(command[0])
    if path is None:
        return Outcome(127, "", f"{command[0]}: not installed")  # as shells have it
    try:
        ended = subprocess.run(
            [path, *command[1:]], input=stdin, capture_output=True, text=True, errors="replace", timeout=seconds,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Outcome(124, "", f"{command[0]}: no end within {seconds:g} seconds")  # as timeout(1) has it
    except OSError as error:
        return Outcome(126, "", f"{command[0]}: {error.strerror}")
    return Outcome(ended.returncode, ended.stdout.strip(), ended.stderr.strip())
