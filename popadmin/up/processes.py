"""Starts processes that do not outlive us, and finds processes in /proc."""

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
    """Start `command` in a session of its own, so that Ctrl-C in the terminal reaches only us.

    When we die, the kernel sends it `at_our_death`. `output` takes stdout and stderr. The process ignores SIGHUP until
    it installs a handler of its own: before that it has nothing to reload.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=_bound_to(os.getpid(), at_our_death, hangups=_ignore_hangups),  # noqa: PLW1509 - the process has one thread here
        **process,
    )


def _bound_to(parent: int, at_our_death: signal.Signals, *, hangups: Callable[[], None]) -> Callable[[], None]:
    def bind() -> None:
        hangups()
        signal.signal(at_our_death, signal.SIG_DFL)  # our own handler would get it until the program is loaded
        _libc.prctl(PR_SET_PDEATHSIG, int(at_our_death), 0, 0, 0)
        if os.getppid() != parent:  # we died before the call above
            os._exit(1)

    return bind


def _ignore_hangups() -> None:
    """Ignore SIGHUP: for a server, until it has a handler of its own."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


def _block_hangups() -> None:
    """Block SIGHUP: for a program that ends by itself, and whose own handler would end it too early."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def run(command: Sequence[str], **process: Any) -> subprocess.CompletedProcess[str]:
    """Run `command` to its end and return its output; it does not outlive us either."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_bound_to(os.getpid(), signal.SIGTERM, hangups=_block_hangups),
        **process,
    )


def started_at(pid: int) -> str | None:
    """Return the start time of a process as the kernel writes it; together with the pid it is unique. None if gone."""
    fields = _status(pid)
    return None if not fields or fields[0] in "ZX" else fields[19]  # proc(5): fields 3 (state) and 22 (starttime)


def parent(pid: int) -> int | None:
    """Return the parent of a process; None if there is no such process."""
    fields = _status(pid)
    return int(fields[1]) if fields else None


def title(pid: int) -> str:
    """Return the command line of a process, which some programs change to show their work; empty if there is none."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _status(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on; empty if there is no such process."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def with_environment(name: str, value: str) -> list[int]:
    """Return the processes that were started with this variable, as far as we may see; never our own."""
    entry = f"{name}={value}".encode()
    return [pid for pid in _pids() if pid != os.getpid() and entry in _environment(pid)]


def _environment(pid: int) -> list[bytes]:
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # gone, or of another user
        return []


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def working_in(folder: Path, *, name: str) -> list[int]:
    """Return the running processes of the program `name` whose working directory is `folder`.

    Folders are compared by device and inode: a container has other folders under the same names.
    """
    try:
        found = folder.stat()
    except FileNotFoundError:
        return []
    return [pid for pid in _pids() if _works_in(PROC / str(pid), found, name)]


def _works_in(entry: Path, folder: os.stat_result, name: str) -> bool:
    try:
        return (entry / "comm").read_text().strip() == name and os.path.samestat((entry / "cwd").stat(), folder)
    except OSError:  # gone, a zombie, or of another user
        return False
