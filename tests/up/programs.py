"""Helpers of the tests of `up`: run programs as a user, with time limits, and end them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 60
NOBODY = 65534


def until(condition: Callable[[], object], what: str, seconds: float = LONGEST_SECONDS) -> None:
    """Return as soon as the condition holds; fail naming it when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds} s: {what}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def as_nobody() -> list[str]:
    """The command before a command that makes it an ordinary user's; nothing where we are one ourselves.

    Where nobody may not reach the checkout or Python, a user namespace makes root an ordinary user as far as a program
    can tell.
    """
    if os.geteuid() != 0:
        return []
    python = Path(sys.executable).resolve()
    if all(folder.stat().st_mode & 0o001 for folder in [REPOSITORY, *REPOSITORY.parents, *python.parents]):
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return ["unshare", "--user", "--map-user=1000", "--"]


@contextmanager
def running(command: Sequence[str], **process: object) -> Iterator[subprocess.Popen[str]]:
    """A program for the length of a `with`, with its standard input open and its output to be read."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE} | process
    started = subprocess.Popen(command, text=True, cwd=REPOSITORY, **pipes)
    try:
        yield started
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGINT)
            try:
                started.wait(LONGEST_SECONDS)
            except subprocess.TimeoutExpired:
                started.kill()
        started.wait()
        # Closed, not read to the end: what it started and wrongly left behind may hold the other side.
        for stream in (started.stdin, started.stdout, started.stderr):
            if stream:
                stream.close()


def python(module: str, *arguments: str, prefix: Sequence[str] = ()) -> list[str]:
    return [*prefix, sys.executable, "-m", module, *arguments]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _number in range(count)]
        return [opened.getsockname()[1] for opened in sockets]


def await_line(process: subprocess.Popen[str], line: str) -> list[str]:
    """Read on until a line has this in it; returns what was read."""
    assert process.stdout
    said = []
    for one in process.stdout:
        said.append(one.rstrip("\n"))
        if line in one:
            return said
    raise AssertionError(f"it ended without saying {line!r}")
