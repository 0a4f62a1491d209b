"""Runs Postgres and the child processes until it is told to stop, and stops them in order."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from popadmin.up.child_processes import FIRST_DELAY_SECONDS, KILLED_SECONDS, Child, Register, Service
from popadmin.up.errors import UpError
from popadmin.up.postgres import Cluster
from popadmin.up.signals import Signals

READY_SECONDS = 60.0
STOP_SECONDS = 40.0  # a listener drains its sessions for up to 30 s
LOOK_SECONDS = 0.05  # between two looks at a child that is starting
SAFETY_SECONDS = 5.0  # the longest wait, in case a signal is missed


class Supervisor:
    """Owns the processes of one `up`. `say` prints a line for the user."""

    def __init__(
        self, services: tuple[Service, ...], *, cluster: Cluster | None, data_dir: Path, say: Callable[[str], None]
    ) -> None:
        self.signals = Signals()
        self._cluster = cluster
        in_order = sorted(services, key=lambda service: service.stage)
        self._children = [Child(service, say, data_dir=data_dir) for service in in_order]
        self._register = Register(data_dir / "children.json", say)
        self._say = say

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run Postgres for the length of a `with`; at its end, stop everything that was started."""
        with self.signals.listening():
            with self.signals.interruptible():  # nothing of ours runs yet, so a stop here keeps the list as it is
                self._register.end_left_behind()
            try:
                with self.signals.interruptible():
                    for child in self._children:
                        for endpoint in child.service.endpoints:
                            endpoint.require_free()
                    if self._cluster:
                        self._cluster.start()
                yield
            finally:
                self._stop()

    def start_children(self) -> None:
        """Start all children: first those with addresses, until all listen, then the others. UpError if one ends."""
        listening = [child for child in self._children if child.service.endpoints]
        self._start(listening)
        deadline = time.monotonic() + READY_SECONDS
        for child in listening:
            self._await_listening(child, deadline)
        self._start([child for child in self._children if child not in listening])

    def _start(self, children: list[Child]) -> None:
        for child in children:
            child.start()
        self._register.write(self._children)

    def _await_listening(self, child: Child, deadline: float) -> None:
        while not all(endpoint.listened_on() for endpoint in child.service.endpoints):
            if child.ended():
                raise UpError(f"{child.service.name} did not start; its last words are above")
            if time.monotonic() > deadline:
                raise UpError(f"{child.service.name} does not listen after {READY_SECONDS:g} s")
            self.signals.wait(LOOK_SECONDS)

    def watch(self) -> None:
        """Restart what ends, and reload at SIGHUP. Return when we are told to stop."""
        while not self.signals.asked:
            if self.signals.take_reload():
                self._reload()
            self._tend_cluster()
            restarted = [child for child in self._children if child.tend()]
            if restarted:
                self._register.write(self._children)
            self.signals.wait(self._patience())

    def _reload(self) -> None:
        self._say("SIGHUP: Postgres reads its settings again, the listeners their certificates, the pages start anew")
        if self._cluster:
            self._cluster.reload()
        for child in self._children:
            child.reload()

    def _patience(self) -> float:
        now = time.monotonic()
        return min([SAFETY_SECONDS, *(max(0.0, child.due - now) for child in self._children if child.due is not None)])

    def _tend_cluster(self) -> None:
        if self._cluster is None or not self._cluster.ended():
            return
        self._say("Postgres ended, it starts again")
        try:
            with self.signals.interruptible():
                self._cluster.start()
        except UpError as error:
            self._say(f"{error}; the next attempt is in {FIRST_DELAY_SECONDS:g} s")
            self.signals.wait(FIRST_DELAY_SECONDS)
        except KeyboardInterrupt:
            return  # `watch` sees the request to stop

    def _stop(self) -> None:
        """Stop one stage after the other. A second request to stop kills the children, but never Postgres."""
        patience = max(self.signals.asked, 1)
        for _stage, children in groupby(self._children, key=lambda child: child.service.stage):
            self._stop_together(list(children), patience)
        if self._cluster:
            self._cluster.stop()
        self._register.forget()

    def _stop_together(self, children: list[Child], patience: int) -> None:
        for child in children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while left := [child for child in children if not child.ended()]:
            if time.monotonic() > deadline + KILLED_SECONDS:
                for child in left:
                    self._say(f"{child.service.name} (process {child.pid}) does not end, though it was killed")
                return
            if self.signals.asked > patience or time.monotonic() > deadline:
                for child in left:
                    child.signal(signal.SIGKILL)
            self.signals.wait(LOOK_SECONDS if self.signals.asked > patience else SAFETY_SECONDS)
