"""Limit how many slow password hashes run at once in this web process.

A flood of wrong passwords must leave threads for the pages and cores for the mail. Users who signed in from the same
network within a month go first; unknown users of one network share a limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from mailstore.policy.networks import is_loopback, network

RUNNING = 2  # more than cores only take memory, 19 MiB each
WAITING = 2  # waiting threads, for known and for unknown users each; a process has eight threads
OF_NETWORK = 2  # places of unknown users of one network, running or waiting
WAIT_SECONDS = 1.0  # for a place: some 80 hashes


class Busy(Exception):
    """No place became free in time."""


class Places:
    """The places of one process."""

    def __init__(self, wait_seconds: float = WAIT_SECONDS) -> None:
        self._wait_seconds = wait_seconds
        self._changed = Condition()
        self._running = 0
        self._waiting = {True: 0, False: 0}  # known or not
        self._networks: Counter[str] = Counter()  # of strangers

    @contextmanager
    def one(self, client: str, *, known: bool) -> Iterator[None]:
        """Hold a place while a hash is computed. Busy if none becomes free soon."""
        where = "" if known or is_loopback(client or "unix") else network(client)
        with self._changed:
            self._enter(where, known=known)
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._leave(where)
                self._changed.notify_all()

    def _enter(self, where: str, *, known: bool) -> None:
        if where and self._networks[where] >= OF_NETWORK:
            raise Busy
        if not self._free(known) and self._waiting[known] >= WAITING:
            raise Busy
        self._networks[where] += 1
        self._waiting[known] += 1
        there = self._changed.wait_for(lambda: self._free(known), self._wait_seconds)
        self._waiting[known] -= 1
        if not there:
            self._leave(where)
            raise Busy
        self._running += 1

    def _leave(self, where: str) -> None:
        self._networks[where] -= 1
        if not self._networks[where]:
            del self._networks[where]

    def _free(self, known: bool) -> bool:
        return self._running < RUNNING and (known or not self._waiting[True])


places = Places()
