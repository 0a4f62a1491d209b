"""The parent of the workers: forks them, replaces the dead, passes signals on; serves nobody itself."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

log = logging.getLogger("popadmin.fleet")

PR_SET_PDEATHSIG = 1
# What is made between two looks for cycles. Sessions leave none, so the default of 700 looks ten times in vain.
YOUNG_OBJECTS = 10_000
# How long a loop that is busy keeps the interpreter from a thread that makes mail durable or checks a password, after
# each of its system calls. Python's 5 ms would make fifty of them.
SWITCH_SECONDS = 0.0005
CRASH_LOOP_SECONDS = 1.0  # a worker that lived shorter is replaced after as long a pause
KILL_SECONDS = 45.0  # after a drain that never ends (it takes 30 s and one statement)
HANDLED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})
HEEDED_LATER = frozenset({signal.SIGHUP})  # by a worker that has something to reload; it would kill one that has not


class WorkerProcesses:
    """Runs `work(index)` in `count` forked processes until SIGTERM or SIGINT; each returns after its own drain.

    `lost(index)` is called in the parent when a worker died. At SIGHUP the parent calls `reload()`, so that successors
    inherit what is new, and tells the workers; one that is not heeding SIGHUP (see `heed`) never notices. Sockets that
    workers inherit stay open here, so that the connections of a dead worker's queue wait for its successor.
    """

    def __init__(
        self,
        name: str,
        count: int,
        work: Callable[[int], None],
        *,
        lost: Callable[[int], None],
        reload: Callable[[], None],
        sockets: list[socket.socket],
    ) -> None:
        self._name = name
        self._count = count
        self._work = work
        self._lost = lost
        self._reload = reload
        self._sockets = sockets
        self._workers: dict[int, tuple[int, float]] = {}  # pid: index, birth

    def run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        gc.collect()
        gc.freeze()  # what is there before the fork stays shared
        for index in range(self._count):
            self._start(index)
        notify("READY=1")
        while (number := signal.sigwait(HANDLED)) not in (signal.SIGTERM, signal.SIGINT):
            if number == signal.SIGHUP:
                self._reload()
                self._tell(signal.SIGHUP)
            else:
                self._bury(replace=True)
        self._stop()

    def _stop(self) -> None:
        """Drain: no new connections from this moment; a second signal hurries the workers."""
        notify("STOPPING=1")
        for sock in self._sockets:
            sock.close()
        self._tell(signal.SIGTERM)
        deadline = time.monotonic() + KILL_SECONDS
        while self._workers:
            got = signal.sigtimedwait(HANDLED, max(0.1, deadline - time.monotonic()))
            if got is None:
                self._tell(signal.SIGKILL)
            elif got.si_signo in (signal.SIGTERM, signal.SIGINT):
                self._tell(signal.SIGTERM)
            self._bury(replace=False)

    def _start(self, index: int) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            self._workers[pid] = (index, time.monotonic())
            return
        status = 1
        try:
            _die_with(parent)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED - HEEDED_LATER)
            gc.set_threshold(YOUNG_OBJECTS)
            sys.setswitchinterval(SWITCH_SECONDS)
            self._work(index)
            status = 0
        except BaseException:
            log.exception("%s worker %d failed", self._name, index)
        finally:
            logging.shutdown()
            os._exit(status)

    def _bury(self, *, replace: bool) -> None:
        """Take every dead worker off the list; one signal may stand for several deaths."""
        while self._workers:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            index, birth = self._workers.pop(pid, (None, 0.0))
            if index is None:
                continue
            self._lost(index)
            if replace:
                log.error("%s worker %d (pid %d) ended with status %d, another takes its place",
                          self._name, index, pid, os.waitstatus_to_exitcode(status))  # fmt: skip
                if time.monotonic() - birth < CRASH_LOOP_SECONDS:
                    time.sleep(CRASH_LOOP_SECONDS)
                self._start(index)

    def _tell(self, number: signal.Signals) -> None:
        for pid in self._workers:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def heed(number: signal.Signals, act: Callable[[], None]) -> None:
    """Called on a worker's loop: `act` at each such signal, also at one that came since the fork."""
    asyncio.get_running_loop().add_signal_handler(number, act)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})


def _die_with(parent: int) -> None:
    """A worker must not outlive its parent: it drains as if told to stop."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def notify(state: str) -> None:
    """Tell systemd, where it asked to be told (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, suppress(OSError):
            sock.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else str(Path(address)))
