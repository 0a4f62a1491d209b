"""Starts servers, and measures the CPU time and memory of them and all their children.

CPU time comes from a cgroup v2 of their own, or from /proc where none can be made; memory comes from smaps_rollup.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Protocol

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
END_SECONDS = 10


class Meter(Protocol):
    """Counts the processes that it starts, and their children."""

    how: str

    def start(self, command: list[str], **options: Any) -> subprocess.Popen[bytes]: ...

    def cpu_seconds(self) -> float: ...

    def pids(self) -> list[int]: ...

    def close(self) -> None: ...


class Cgroup:
    """A cgroup: exact to the microsecond, and processes that have ended stay counted."""

    how = "cgroup v2, cpu.stat usage_usec"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()

    def start(self, command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        # No thread runs here: the load has processes of its own.
        return subprocess.Popen(command, preexec_fn=self._enter, **options)  # noqa: PLW1509 - see above

    def _enter(self) -> None:
        (self._folder / "cgroup.procs").write_text("0")

    def cpu_seconds(self) -> float:
        lines = (self._folder / "cpu.stat").read_text().splitlines()
        return int(dict(line.split() for line in lines)["usage_usec"]) / 1e6

    def pids(self) -> list[int]:
        return [int(pid) for pid in (self._folder / "cgroup.procs").read_text().split()]

    def close(self) -> None:
        """Remove the cgroup. Children of a stopped server may need a moment to end."""
        until = time.monotonic() + END_SECONDS
        while self.pids() and time.monotonic() < until:
            time.sleep(0.05)
        with contextlib.suppress(OSError):
            self._folder.rmdir()


class ProcessTrees:
    """Trees of processes in /proc: clock ticks of the living ones, and of the ended ones that they have waited for."""

    how = "/proc/PID/stat, utime+stime+cutime+cstime"

    def __init__(self) -> None:
        self._roots: list[int] = []

    def start(self, command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, **options)
        self._roots.append(process.pid)
        return process

    def cpu_seconds(self) -> float:
        return sum(_ticks(pid) for pid in self.pids()) / TICKS_PER_SECOND

    def pids(self) -> list[int]:
        children = _children()
        found: list[int] = []
        waiting = list(self._roots)
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            waiting += children[pid]
        return found

    def close(self) -> None:
        self._roots.clear()


def new(name: str) -> Meter:
    """A cgroup below our own where the system lets us make one."""
    try:
        return Cgroup(_own_cgroup() / f"popadmin-bench-{os.getpid()}-{name}")
    except (OSError, LookupError):
        return ProcessTrees()


def _own_cgroup() -> Path:
    mounts = [line.split() for line in (PROC / "self" / "mounts").read_text().splitlines()]
    root = next((Path(fields[1]) for fields in mounts if fields[2] == "cgroup2"), None)
    lines = (PROC / "self" / "cgroup").read_text().splitlines()
    path = next((line.removeprefix("0::/") for line in lines if line.startswith("0::")), None)
    if root is None or path is None:
        raise LookupError("no cgroup v2 here")
    return root / path


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on; the second, a name, may contain blanks and brackets."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return []


def _ticks(pid: int) -> int:
    return sum(int(value) for value in _stat(pid)[11:15])


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = defaultdict(list)
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children[int(fields[1])].append(int(entry.name))
    return children


def kilobytes(pids: list[int]) -> int:
    """Return the proportional set size: shared pages are divided among the processes that share them."""
    return sum(_pss(pid) for pid in pids)


def _pss(pid: int) -> int:
    try:
        text = (PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
