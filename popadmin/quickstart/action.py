"""What a step does: write a file, run a command, tell the operator something. Each knows whether it is needed."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mailstore import durable_file
from popadmin.quickstart import machine


class Failed(Exception):
    """An action could not be done. `str(error)` says which and why; `said` is what it printed for the operator."""

    def __init__(self, text: str, said: str = "") -> None:
        super().__init__(text)
        self.said = said


class Action(Protocol):
    """`text` says what it does, in one line."""

    @property
    def text(self) -> str: ...

    def is_done(self) -> bool: ...

    def preview(self) -> str:
        """Return what a dry run shows besides `text`."""

    def do(self) -> str:
        """Do it; return what the operator has to see of it, or nothing."""


@dataclass(frozen=True, slots=True)
class Write:
    """Give a file this content. `group` may read it where the mode says so.

    `shown` is what a dry run prints of a content with secrets.
    """

    path: Path
    content: str
    shown: str | None = None
    mode: int = 0o644
    group: str = ""

    @property
    def text(self) -> str:
        return f"write {self.path}"

    def is_done(self) -> bool:
        try:
            state = self.path.stat()
            return self.path.read_text() == self.content and (not self.group or self._is_guarded(state))
        except FileNotFoundError:
            return False

    def _is_guarded(self, state: os.stat_result) -> bool:
        """Return whether only those may read it who should: a run may have been cut short before that."""
        return stat.S_IMODE(state.st_mode) == self.mode and machine.group_id(self.group) in (-1, state.st_gid)

    def preview(self) -> str:
        return self.content if self.shown is None else self.shown

    def do(self) -> str:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        durable_file.write(self.path, self.content.encode(), mode=self.mode)
        if self.group:
            os.chown(self.path, -1, machine.group_id(self.group))
        return ""


@dataclass(frozen=True, slots=True)
class Run:
    """Run a command, unless `done` says that there is no need.

    It reads `stdin`, where secrets belong: everybody sees the words of a command. `shown`: what it prints is for the
    operator.
    """

    text: str
    command: Sequence[str]
    done: Callable[[], bool] = lambda: False
    stdin: str = ""
    shown: bool = False

    def is_done(self) -> bool:
        return self.done()

    def preview(self) -> str:
        return shlex.join(self.command)

    def do(self) -> str:
        try:
            ended = machine.run(self.command, stdin=self.stdin)
        except FileNotFoundError as error:
            raise Failed(f"{self.text}: {self.command[0]} is not installed") from error
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{self.text}: no end within {error.timeout:g} seconds") from error
        if ended.returncode != 0:
            cause = ended.stderr.strip().rpartition("\n")[2] or f"exit code {ended.returncode}"
            raise Failed(f"{self.text}: {cause.removeprefix('popadmin: ')}", ended.stdout.rstrip())
        return ended.stdout.rstrip() if self.shown else ""


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell the operator something that this step cannot do."""

    text: str

    def is_done(self) -> bool:
        return False

    def preview(self) -> str:
        return ""

    def do(self) -> str:
        return ""
