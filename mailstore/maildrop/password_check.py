"""Checks passwords: in a bounded number of threads, and without the slow hash if this process verified them before."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, check_password, make_password

from mailstore.errors import Abandoned, MailError, Overloaded, Unavailable
from mailstore.pg.callback import tell
from mailstore.policy import foreign_hash
from mailstore.policy.hash_queue import HashQueue, QueueName, Waiter

log = logging.getLogger("popadmin.signin")

CHECK_THREADS = 2  # argon2 takes 19 MiB in each; more threads than cores would only take memory
GUESS_OCTETS = 2  # tell the wrong passwords of a day apart, and are far too few to find one by
REMEMBERED = 50_000  # verified passwords that are kept as digests: at most 10 MB

Answer = Callable[[bool | MailError], None]


@dataclass(eq=False, slots=True, kw_only=True)
class Check(Waiter):
    """One slow check. `encoded` is None if there is no such user. Then the check costs the same, and fails.

    `quick`: another check may verify the same password while this one waits. Then this one needs no hash. `own_hash` is
    our hash of a right password, where `encoded` was made by another server. `run_seconds` is how long the hash took.
    """

    secret: str
    encoded: str | None
    done: Answer
    quick: bool = False
    own_hash: str | None = None
    began_at: float = 0.0
    run_seconds: float = 0.0


def is_unusable(encoded: str) -> bool:
    """Return whether this stands in the place of a hash, so that no password is right."""
    return encoded.startswith(UNUSABLE_PASSWORD_PREFIX)


class Passwords:
    """The password checks of one process. It keeps no password, only a keyed digest of each right one, by its hash."""

    def __init__(self, site_key: bytes | None = None) -> None:
        self._pool = ThreadPoolExecutor(CHECK_THREADS, thread_name_prefix="password")
        self._key = os.urandom(32)
        self._site_key = site_key or self._key
        self._verified: OrderedDict[str, bytes] = OrderedDict()
        self._queue = HashQueue[Check]()
        self._running = 0
        self._timer: asyncio.TimerHandle | None = None  # until the last of the queue's lanes may go on
        self._unknown = make_password(os.urandom(16).hex())  # the hash that is checked for an unknown user

    def digest(self, secret: str) -> bytes:
        """Return a digest of a secret, with the key of this process."""
        return hashlib.blake2b(secret.encode(), key=self._key, digest_size=16).digest()

    def guess(self, secret: str) -> bytes:
        """Return what counts as the same guess in every process of the site, for the throttle."""
        return hashlib.blake2b(secret.encode(), key=self._site_key, digest_size=GUESS_OCTETS).digest()

    def known(self, secret: str, encoded: str) -> bool:
        """Return True if this process has verified this password against this stored hash before."""
        found = self._verified.get(encoded)
        return found is not None and hmac.compare_digest(found, self.digest(secret))

    def busy(self) -> bool:
        """Return True while a check runs or waits."""
        return self._running > 0 or len(self._queue) > 0

    def check(self, check: Check) -> None:
        """Run a check when its turn comes; `done` gets True or False. Overloaded, Abandoned, Unavailable."""
        loser = self._queue.add(check, _now())
        if loser is not None:
            self._give_up(loser)
        self._go_on()

    def drop(self, check: Check) -> None:
        """Drop a check that waits: its client is gone. One that runs ends by itself."""
        if self._queue.remove(check):
            tell(check.done, Abandoned("the client left before its password was checked"))

    def give_way(self, check: Check) -> None:
        """Let a check that waits go after all others. One that runs ends by itself."""
        if self._queue.remove(check):
            check.queue = QueueName.LAST
            self.check(check)

    def close(self) -> None:
        """End the threads; checks that wait are not made."""
        if self._timer is not None:
            self._timer.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # --- one turn after the other -------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Start as many checks as there are free threads."""
        now = _now()
        for check in self._queue.expired(now):
            self._give_up(check)
        while self._running < CHECK_THREADS:
            next_one = self._queue.take(now)
            if next_one is None:
                self._wake_later(now)
                return
            self._begin(next_one)

    def _begin(self, check: Check) -> None:
        encoded = check.encoded
        if check.quick and encoded is not None and self.known(check.secret, encoded):
            self._queue.finished(check)
            tell(check.done, True)
            return
        if encoded is not None and is_unusable(encoded):
            encoded = None
        self._running += 1
        check.began_at = _now()
        loop = asyncio.get_running_loop()
        work = self._pool.submit(_compare, check.secret, encoded or self._unknown)

        def finished(work: Future[tuple[bool, str | None]]) -> None:
            loop.call_soon_threadsafe(self._finished, work, check, encoded)

        work.add_done_callback(finished)

    def _wake_later(self, now: float) -> None:
        seconds = self._queue.pause_seconds(now)
        if seconds is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._go_on()

    def _finished(self, work: Future[tuple[bool, str | None]], check: Check, encoded: str | None) -> None:
        self._running -= 1
        check.run_seconds = _now() - check.began_at
        self._queue.finished(check)
        error = work.exception()
        if error is not None:
            log.error("a password check failed", exc_info=error)
            tell(check.done, Unavailable(f"password check: {error!r}"))
        else:
            right, check.own_hash = work.result()
            if right and encoded is not None:
                # A foreign hash is not remembered. It goes, and without a salt it may be the hash of several users.
                self._remember(check.secret, check.own_hash or encoded)
            tell(check.done, right and encoded is not None)
        self._go_on()

    def _remember(self, secret: str, encoded: str) -> None:
        self._verified[encoded] = self.digest(secret)
        self._verified.move_to_end(encoded)
        if len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)

    def _give_up(self, check: Check) -> None:
        """Answer a check that will not be made: too many wait, or it waited too long."""
        if check.queue is QueueName.LAST:
            tell(check.done, Abandoned("the client closed its side, and others went first"))
        else:
            tell(check.done, Overloaded("too many password checks wait"))


def _compare(secret: str, encoded: str) -> tuple[bool, str | None]:
    """Return whether this is the password of a hash; where another server made the hash, also our own of it.

    A right password costs what a wrong one costs (`password_hasher.Imported`).
    """
    right = check_password(secret, encoded)
    return right, make_password(secret) if right and foreign_hash.is_stored(encoded) else None


def _now() -> float:
    return asyncio.get_running_loop().time()
