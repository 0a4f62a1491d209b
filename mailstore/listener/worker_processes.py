"""The parent of the workers: it forks them, replaces dead ones and passes signals on. It serves no client."""

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
# New objects between two garbage collections. Sessions leave no cycles, so the default of 700 collects too often.
YOUNG_OBJECTS = 10_000
# How long a busy loop may keep the interpreter from a thread that makes mail durable or checks a password. The thread
# waits so long after each of its system calls; the default of Python, 5 ms, would make ten times as much of it.
SWITCH_SECONDS = 0.0005
WATCH_SECONDS = 10.0  # between two looks at the files of certificates
CRASH_LOOP_SECONDS = 1.0  # a worker that lived for less is replaced after a pause of this length
KILL_SECONDS = 45.0  # of a drain, before the kill; a drain takes at most 30 s and one statement
HANDLED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})
# Workers with something to reload unblock these themselves; a worker without would be killed by them.
HEEDED_LATER = frozenset({signal.SIGHUP})


class WorkerProcesses:
    """Runs `work(index)` in `count` forked processes until SIGTERM or SIGINT. Each returns after its own drain.

    The parent calls `lost(index)` when a worker died. At SIGHUP the parent calls `reload()`, so that later workers
    inherit the new state, and passes the signal on; a worker that did not call `heed` for SIGHUP never gets it. It does
    the same where `changed()`, which it calls every WATCH_SECONDS, says that something was renewed. The sockets stay
    open in the parent, so that connections in the queue of a dead worker wait for its successor.
    """

    def __init__(
        self,
        name: str,
        count: int,
        work: Callable[[int], None],
        *,
        lost: Callable[[int], None],
        reload: Callable[[], None],
        changed: Callable[[], bool],
        sockets: list[socket.socket],
    ) -> None:
        self._name = name
        self._count = count
        self._work = work
        self._lost = lost
        self._reload = reload
        self._changed = changed
        self._watched_at = time.monotonic()
        self._sockets = sockets
        self._workers: dict[int, tuple[int, float]] = {}  # pid: index, birth

    def run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
        gc.collect()
        gc.freeze()  # the memory from before the fork stays shared
        for index in range(self._count):
            self._start(index)
        notify("READY=1")
        while (number := self._next_signal()) not in (signal.SIGTERM, signal.SIGINT):
            if number == signal.SIGHUP:
                self._reload()
                self._send(signal.SIGHUP)
            else:
                self._replace_dead(replace=True)
        self._stop()

    def _next_signal(self) -> int:
        """Wait for a signal, and look meanwhile whether something was renewed."""
        while True:
            left = self._watched_at + WATCH_SECONDS - time.monotonic()
            info = signal.sigtimedwait(HANDLED, left) if left > 0 else None
            if info is not None:
                return info.si_signo
            self._watched_at = time.monotonic()
            if self._look():
                self._send(signal.SIGHUP)

    def _look(self) -> bool:
        """Call `changed`. A bug there must not end the parent of all workers."""
        try:
            return self._changed()
        except Exception:
            log.exception("%s could not look for what was renewed", self._name)
            return False

    def _stop(self) -> None:
        """Let the workers drain, with no new connections from now on. A second signal ends their drain."""
        notify("STOPPING=1")
        for sock in self._sockets:
            sock.close()
        self._send(signal.SIGTERM)
        deadline = time.monotonic() + KILL_SECONDS
        while self._workers:
            info = signal.sigtimedwait(HANDLED, max(0.1, deadline - time.monotonic()))
            if info is None:
                self._send(signal.SIGKILL)
            elif info.si_signo in (signal.SIGTERM, signal.SIGINT):
                self._send(signal.SIGTERM)
            self._replace_dead(replace=False)

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

    def _replace_dead(self, *, replace: bool) -> None:
        """Remove every dead worker from the list; one signal may mean several deaths."""
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

    def _send(self, number: signal.Signals) -> None:
        for pid in self._workers:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def heed(number: signal.Signals, act: Callable[[], None]) -> None:
    """Call `act` at each such signal, also at one that came since the fork. Called on the loop of a worker."""
    asyncio.get_running_loop().add_signal_handler(number, act)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})


def _die_with(parent: int) -> None:
    """Make this worker drain, as after SIGTERM, when its parent ends."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def notify(state: str) -> None:
    """Tell systemd the state, if it asked for that (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, suppress(OSError):
            sock.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else str(Path(address)))
