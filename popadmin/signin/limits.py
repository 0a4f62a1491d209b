"""Limits of this web process: slow hashes that run at once, wrong passwords, mails to people."""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from mailstore.policy.networks import is_loopback, network
from mailstore.policy.rate_limit import RateLimit
from mailstore.policy.throttle import Throttle

LOCAL = "unix"  # a request that came by a unix socket has no address
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


class LoginThrottle:
    """The memory of one web process. Names are those of `signs_in_as`; passwords are kept only as keyed digests."""

    def __init__(self) -> None:
        self._throttle = Throttle()
        self._key = os.urandom(32)

    def barred(self, client: str, name: str) -> bool:
        client = client or LOCAL
        return self._throttle.barred(client, name, time.monotonic(), loopback=is_loopback(client))

    def wrong(self, client: str, name: str, password: str, *, unknown: bool) -> None:
        digest = hashlib.blake2b(password.encode(), key=self._key, digest_size=16).digest()
        client = client or LOCAL
        now, loopback = time.monotonic(), is_loopback(client)
        self._throttle.failed(client, name, digest, now, unknown=unknown, loopback=loopback)

    def right(self, client: str, name: str) -> None:
        self._throttle.succeeded(client or LOCAL, name, time.monotonic())


guesses = LoginThrottle()


HOUR_SECONDS = 3600
NETWORK_HOURLY = 20  # an office after its holidays; more is somebody who tries names
ACCOUNT_HOURLY = 3  # mails to one person, who may mistype and try again

_by_network = RateLimit(NETWORK_HOURLY, HOUR_SECONDS)
_by_account = RateLimit(ACCOUNT_HOURLY, HOUR_SECONDS)


def from_network(client: str) -> bool:
    """Count a request from this client's network; False above the limit. Requests from this machine are not counted:
    behind a proxy that passes no addresses, all users would share one limit."""
    client = client or LOCAL
    return is_loopback(client) or _by_network.allowed(network(client), time.monotonic())


def for_account(name: str) -> bool:
    """Count a mail for this account, known or not; return False above the limit."""
    return _by_account.allowed(name, time.monotonic())
