"""Slow down password guessing in this process; mailstore.policy.throttle has the rules."""

from __future__ import annotations

import hashlib
import os
import time

from mailstore.policy.networks import is_loopback
from mailstore.policy.throttle import Throttle

LOCAL = "unix"  # a request that came by a unix socket has no address


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
