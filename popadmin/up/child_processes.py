"""The child processes of `up`: start them, restart them after a crash, stop them."""

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
from popadmin.up.errors import UpError

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 60.0  # a child that ran so long is restarted after the first delay
LEFT_BEHIND_SECONDS = 10.0  # children of a killed supervisor may end by themselves so long; then they are killed
KILLED_SECONDS = 5.0  # a process that was killed is gone by then, unless it hangs in the kernel
PAUSE_SECONDS = 0.05
MARK = "POPADMIN_STARTED_BY_UP"  # in the environment of every child: the data folder


@dataclass(frozen=True, slots=True)
class Service:
    """What one child runs. Children stop in the order of `stage`; those of one stage stop together."""

    name: str
    command: tuple[str, ...]
    stage: int
    endpoints: tuple[Endpoint, ...] = ()


class Child:
    """The process of one service, which is restarted when it ends."""

    def __init__(self, service: Service, say: Callable[[str], None], *, data_dir: Path) -> None:
        self.service = service
        self._environment = environment.of_child(**{MARK: str(data_dir)})
        self.due: float | None = None  # when it is restarted, by the monotonic clock
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
        """Return True if it has ended; then end also the rest of its session."""
        if self._process is None or self._process.returncode is not None:
            return True
        # Nobody else gets its pid, which also names its process group, before we have waited for it.
        if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        self.signal(signal.SIGTERM)
        self._process.wait()
        return True

    def tend(self) -> bool:
        """Restart it if it has crashed and its delay is over. Return True if it was started."""
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
        """Send SIGHUP to the process itself, which passes it on to its workers if they need it."""
        if not self.ended() and self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its whole session, so that no worker is left."""
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, number)


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"


class Register:
    """A file with our processes: a killed supervisor leaves children, and the next supervisor must end them."""

    def __init__(self, file: Path, say: Callable[[str], None]) -> None:
        self._file = file
        self._say = say

    def write(self, children: list[Child]) -> None:
        pids = [child.pid for child in children if child.pid]
        entries = [[pid, started] for pid in pids if (started := processes.started_at(pid))]
        durable_file.write(self._file, json.dumps(entries).encode())

    def end_left_behind(self) -> None:
        """Wait for them, as the kernel has told them to end; then kill them. A pid that was reused is left alone.

        UpError names those that do not end even then: a process may hang in the kernel, on a broken disk.
        """
        entries = self._entries()
        deadline = time.monotonic() + LEFT_BEHIND_SECONDS
        while left := [pid for pid, started in entries if processes.started_at(pid) == started]:
            if time.monotonic() > deadline + KILLED_SECONDS:
                pids = ", ".join(map(str, left))
                raise UpError(f"an earlier popadmin still works (process {pids}) and does not end: end it first")
            if time.monotonic() > deadline:
                for pid in left:
                    _kill(pid)
            time.sleep(PAUSE_SECONDS)
        self.forget()

    def forget(self) -> None:
        """Remove the file: all processes have ended."""
        self._file.unlink(missing_ok=True)

    def _entries(self) -> list[tuple[int, str]]:
        """Return each process and its start time; if the file is damaged, the processes with our mark."""
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
    """Kill a process, with its whole session if it leads one."""
    with suppress(ProcessLookupError):
        (os.killpg if os.getpgid(pid) == pid else os.kill)(pid, signal.SIGKILL)
