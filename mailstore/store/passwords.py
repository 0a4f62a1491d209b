"""Checks passwords: the slow hash off the loop and bounded, skipped for what this process has verified before."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, check_password, make_password

from mailstore.errors import MailError, Overloaded, Unavailable
from mailstore.store.answers import tell

log = logging.getLogger("popadmin.signin")

CHECK_THREADS = 2  # argon2 takes 19 MiB each; more threads than cores only take memory
QUEUE_LIMIT = 256  # waiting checks: some four seconds of work; whoever comes later is told to try again
REMEMBERED = 50_000  # verified passwords kept as digests: 10 MB at most


class Passwords:
    """One per process. Keeps no password: only a keyed digest of one that was right, beside the hash it matched."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(CHECK_THREADS, thread_name_prefix="password")
        self._key = os.urandom(32)
        self._verified: OrderedDict[str, bytes] = OrderedDict()
        self._waiting = 0
        self._unknown = make_password(os.urandom(16).hex())  # what an unknown user's password is checked against

    def digest(self, secret: str) -> bytes:
        return hashlib.blake2b(secret.encode(), key=self._key, digest_size=16).digest()

    def known(self, secret: str, encoded: str) -> bool:
        """True when this process has verified this password against this stored hash before."""
        found = self._verified.get(encoded)
        return found is not None and hmac.compare_digest(found, self.digest(secret))

    def busy(self) -> bool:
        """True while a check is under way."""
        return self._waiting > 0

    def check(self, secret: str, encoded: str | None, done: Callable[[bool | MailError], None]) -> None:
        """Run one slow check; `encoded` None (no such user) costs the same and fails. Overloaded, Unavailable."""
        if self._waiting >= QUEUE_LIMIT:
            done(Overloaded(f"{QUEUE_LIMIT} password checks are waiting"))
            return
        self._waiting += 1
        loop = asyncio.get_running_loop()
        if encoded is not None and encoded.startswith(UNUSABLE_PASSWORD_PREFIX):
            encoded = None
        work = self._pool.submit(check_password, secret, encoded or self._unknown)

        def finished(work: Future[bool]) -> None:
            loop.call_soon_threadsafe(self._finished, work, secret, encoded, done)

        work.add_done_callback(finished)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _finished(
        self, work: Future[bool], secret: str, encoded: str | None, done: Callable[[bool | MailError], None]
    ) -> None:
        self._waiting -= 1
        error = work.exception()
        if error is not None:
            log.error("a password check failed", exc_info=error)
            tell(done, Unavailable(f"password check: {error!r}"))
            return
        right = work.result() and encoded is not None
        if right and encoded is not None:
            self._verified[encoded] = self.digest(secret)
            self._verified.move_to_end(encoded)
            if len(self._verified) > REMEMBERED:
                self._verified.popitem(last=False)
        tell(done, right)
