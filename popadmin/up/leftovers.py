"""Ends the processes of an earlier Postgres in the folder of a cluster, with harder signals step by step."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from popadmin.up import processes
from popadmin.up.errors import UpError

PROGRAM = "postgres"
LOGGER = "postgres: logger"  # it ends with its postmaster, which would restart it
PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Step:
    """The signals to a postmaster and to its children, and how long they have to end."""

    postmaster: signal.Signals | None
    children: signal.Signals | None
    seconds: float


STEPS = (
    # Fast shutdown: all data is written, and the next start needs no recovery. Children notice that their postmaster
    # is gone. But a postmaster in recovery waits for its startup process, and every postmaster waits for a client that
    # has connected and sends nothing (authentication_timeout, a minute). So there are more steps.
    Step(signal.SIGINT, None, 6.0),
    # Immediate shutdown: for the data the same as a crash. After 5 s it kills most of its children, but not all.
    Step(signal.SIGQUIT, signal.SIGQUIT, 6.0),
    Step(None, signal.SIGKILL, 3.0),
    # Not before the children are gone: they would go on writing beside the next postmaster.
    Step(signal.SIGKILL, signal.SIGKILL, 3.0),
)


def end(folder: Path, steps: Sequence[Step] = STEPS) -> None:
    """Return when no Postgres runs in `folder` any more. UpError names processes that no signal ends."""
    for step in steps:
        _send(step, processes.working_in(folder, name=PROGRAM))
        if _emptied(folder, step.seconds):
            return
    pids = ", ".join(map(str, processes.working_in(folder, name=PROGRAM)))
    raise UpError(f"an earlier Postgres still works in {folder} (process {pids}) and does not end: end it first")


def _emptied(folder: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while processes.working_in(folder, name=PROGRAM):
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_SECONDS)
    return True


def _send(step: Step, pids: Sequence[int]) -> None:
    postmasters = [pid for pid in pids if _is_postmaster(pid, pids)]
    children = [pid for pid in pids if pid not in postmasters and not processes.title(pid).startswith(LOGGER)]
    if step.postmaster is not signal.SIGKILL or not children:
        _signal(postmasters, step.postmaster)
    _signal(children, step.children)


def _is_postmaster(pid: int, pids: Sequence[int]) -> bool:
    """Return whether a process is a postmaster. It keeps the title of its start; a child's title says what it does."""
    return processes.parent(pid) not in pids and not processes.title(pid).startswith(f"{PROGRAM}:")


def _signal(pids: Sequence[int], number: signal.Signals | None) -> None:
    if number is None:
        return
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
