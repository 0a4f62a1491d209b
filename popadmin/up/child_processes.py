"""The child processes of `up`: started, started again after a crash, stopped; not what each of them does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mailstore import durable_file
from popadmin.config import environment
from popadmin.up import processes
from popadmin.up.endpoints import Endpoint

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 60.0  # who lived that long starts again at the first delay
LEFT_BEHIND_SECONDS = 10.0  # for children of a killed supervisor to end by themselves, before they are killed
PAUSE_SECONDS = 0.05
MARK = "POPADMIN_STARTED_BY_UP"  # in the environment of every child: the data folder


@dataclass(frozen=True, slots=True)
class Service:
    """What one child is. Children stop in the order of `stage`; those of one stage together."""

    name: str
    command: tuple[str, ...]
    stage: int
    endpoints: tuple[Endpoint, ...] = ()


class Child:
    """One service's process, now or soon again."""

    def __init__(self, service: Service, say: Callable[[str], None], *, data_dir: Path) -> None:
        self.service = service
        self._environment = environment.of_child(**{MARK: str(data_dir)})
        self.due: float | None = None  # when it starts again, on the monotonic clock
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._delay = FIRST_DELAY_SECONDS

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self.due = None
        self._started = time.monotonic()
        self._process = processes.start(self.service.command, at_our_death=signal.SIGTERM, env=self._environment)

    def ended(self) -> bool:
        """True once it is gone; what it has left running in its own session is told to go as well."""
        if self._process is None or self._process.returncode is not None:
            return True
        # Its pid, and so the name of its group, is ours until it is reaped.
        if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        self.signal(signal.SIGTERM)
        self._process.wait()
        return True

    def tend(self) -> bool:
        """Start it again when it crashed and its delay is over. True when it was started."""
        if self.due is not None:
            if time.monotonic() < self.due:
                return False
            self.start()
            return True
        if self._process is not None and self.ended():
            self._plan()
        return False

    def _plan(self) -> None:
        assert self._process is not None  # noqa: S101 - for the type checker: only a started one ends
        if time.monotonic() - self._started >= STEADY_SECONDS:
            self._delay = FIRST_DELAY_SECONDS
        code = self._process.returncode
        self._say(f"{self.service.name} ended ({_how(code)}), it starts again in {self._delay:g} s")
        self.due = time.monotonic() + self._delay
        self._delay = min(self._delay * 2, LONGEST_DELAY_SECONDS)
        self._process = None

    def reload(self) -> None:
        """SIGHUP to the process itself, which passes it on to its workers as they need it."""
        if not self.ended() and self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def signal(self, number: signal.Signals) -> None:
        """To its whole session: a killed master must not leave its workers."""
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, number)


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"


class Register:
    """Which processes are ours, on disk: a killed supervisor leaves children that the next one must find and end."""

    def __init__(self, file: Path, say: Callable[[str], None]) -> None:
        self._file = file
        self._say = say

    def write(self, children: list[Child]) -> None:
        pids = [child.pid for child in children if child.pid]
        entries = [[pid, started] for pid in pids if (started := processes.started_at(pid))]
        durable_file.write(self._file, json.dumps(entries).encode())

    def end_those_left_behind(self) -> None:
        """Wait for them (the kernel has told them to end), then kill; a pid that went to another is left alone."""
        entries = self._entries()
        deadline = time.monotonic() + LEFT_BEHIND_SECONDS
        while left := [pid for pid, started in entries if processes.started_at(pid) == started]:
            if time.monotonic() > deadline:
                for pid in left:
                    _kill(pid)
            time.sleep(PAUSE_SECONDS)
        self.forget()

    def forget(self) -> None:
        """All of them have ended."""
        self._file.unlink(missing_ok=True)

    def _entries(self) -> list[tuple[int, str]]:
        """Each process and when it began. Where the file is damaged, those that carry our mark."""
        try:
            return [(int(pid), str(started)) for pid, started in json.loads(self._file.read_bytes())]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError):
            aside = durable_file.set_aside(self._file)
            self._say(f"{self._file} was damaged and is now {aside.name}; it is made anew")
            return self._marked()

    def _marked(self) -> list[tuple[int, str]]:
        found = processes.with_environment(MARK, str(self._file.parent))
        return [(pid, started) for pid in found if (started := processes.started_at(pid))]


def _kill(pid: int) -> None:
    """With its whole session where it leads one."""
    with suppress(ProcessLookupError):
        (os.killpg if os.getpgid(pid) == pid else os.kill)(pid, signal.SIGKILL)
