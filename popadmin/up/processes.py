"""Starts processes that do not outlive us, and tells ours from others'; knows nothing of what they do."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

PROC = Path("/proc")
PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True)


def start(
    command: Sequence[str], *, at_our_death: signal.Signals, output: IO[bytes] | None = None, **process: Any
) -> subprocess.Popen[bytes]:
    """Run `command` in a session of its own (a terminal's Ctrl-C is ours alone to pass on).

    When we die, in whatever way, the kernel sends it `at_our_death`. `output` takes stdout and stderr.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=_bound_to(os.getpid(), at_our_death),  # noqa: PLW1509 - whoever starts processes has one thread
        **process,
    )


def _bound_to(parent: int, number: signal.Signals) -> Callable[[], None]:
    def bind() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel could know
            os._exit(1)

    return bind


def started_at(pid: int) -> str | None:
    """When a process began, in the kernel's own words; with the pid it names one process. None when there is none."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]  # proc(5): fields 3 (state) and 22 (starttime)


def working_in(folder: Path, *, name: str) -> list[int]:
    """The living processes of the program `name` whose working directory is `folder`."""
    pids = (entry for entry in PROC.iterdir() if entry.name.isdigit())
    return [int(entry.name) for entry in pids if _works_in(entry, folder, name)]


def _works_in(entry: Path, folder: Path, name: str) -> bool:
    try:
        return (entry / "cwd").readlink() == folder and (entry / "comm").read_text().strip() == name
    except OSError:  # gone, a zombie, or another user's
        return False
