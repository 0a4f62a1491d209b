"""Limits of this web process: slow password hashes at the same time, and wrong passwords."""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from mailstore.policy.networks import is_loopback, network
from mailstore.policy.throttle import Bar, Throttle

LOCAL = "unix"  # the client of a request that came by a unix socket, which has no address
RUNNING_LIMIT = 2  # hashes: more than there are cores would only take memory, 19 MiB each
WAITING_LIMIT = 2  # threads that wait, for known and for unknown users each; a process has eight threads
NETWORK_LIMIT = 2  # slots of unknown users of one network, running or waiting
WAIT_SECONDS = 1.0  # for a slot: the time of some 80 hashes


class Busy(Exception):
    """No slot became free in time."""


class HashSlots:
    """The slots of one process for slow password hashes.

    A flood of wrong passwords must leave threads for the pages and cores for the mail. Users who signed in from the
    same network within a month go first. Unknown users of one network share a limit.
    """

    def __init__(self, wait_seconds: float = WAIT_SECONDS) -> None:
        self._wait_seconds = wait_seconds
        self._changed = Condition()
        self._running = 0
        self._waiting = {True: 0, False: 0}  # by whether the user is known
        self._networks: Counter[str] = Counter()  # of unknown users

    @contextmanager
    def hold(self, client: str, *, known: bool) -> Iterator[None]:
        """Hold a slot while a hash is computed. Raise Busy if none becomes free soon."""
        limited = "" if known or is_loopback(client or LOCAL) else network(client)
        with self._changed:
            self._enter(limited, known=known)
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._leave(limited)
                self._changed.notify_all()

    def _enter(self, limited: str, *, known: bool) -> None:
        if limited and self._networks[limited] >= NETWORK_LIMIT:
            raise Busy
        if not self._is_free(known) and self._waiting[known] >= WAITING_LIMIT:
            raise Busy
        self._networks[limited] += 1
        self._waiting[known] += 1
        became_free = self._changed.wait_for(lambda: self._is_free(known), self._wait_seconds)
        self._waiting[known] -= 1
        if not became_free:
            self._leave(limited)
            raise Busy
        self._running += 1

    def _leave(self, limited: str) -> None:
        self._networks[limited] -= 1
        if not self._networks[limited]:
            del self._networks[limited]

    def _is_free(self, known: bool) -> bool:
        return self._running < RUNNING_LIMIT and (known or not self._waiting[True])


class LoginThrottle:
    """Slow down password guessing in one process; mailstore.policy.throttle has the rules.

    Names are those that `people.login_name` returns. Passwords are kept only as keyed digests.
    """

    def __init__(self) -> None:
        self._throttle = Throttle()
        self._key = os.urandom(32)

    def barred(self, client: str, name: str) -> bool:
        return self.bar(client, name) is not None

    def bar(self, client: str, name: str) -> Bar | None:
        client = client or LOCAL
        return self._throttle.bar(client, name, time.monotonic(), loopback=is_loopback(client))

    def failed(self, client: str, name: str, password: str, *, unknown: bool) -> bool:
        """Count a failure; return whether it was the same as one before."""
        digest = hashlib.blake2b(password.encode(), key=self._key, digest_size=16).digest()
        client = client or LOCAL
        now, loopback = time.monotonic(), is_loopback(client)
        tried = self._throttle.tried(client, name, digest, now)
        self._throttle.failed(client, name, digest, now, unknown=unknown, loopback=loopback)
        return tried

    def succeeded(self, client: str, name: str) -> None:
        self._throttle.succeeded(client or LOCAL, name, time.monotonic())


hash_slots = HashSlots()
login_throttle = LoginThrottle()
