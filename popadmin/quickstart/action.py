"""The two things that a step does to the machine: write a file, and run a command. Each knows whether it is needed."""

from __future__ import annotations

import os
import shlex
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
            return self.path.read_text() == self.content
        except FileNotFoundError:
            return False

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
        ended = machine.run(self.command, stdin=self.stdin)
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
