"""The password hash: Argon2id at the figures OWASP gives, about a quarter of Django's default cost."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher

CORES = os.cpu_count() or 1
Item = TypeVar("Item")
Made = TypeVar("Made")


class Argon2(Argon2PasswordHasher):
    """19 MiB, two passes, one lane: 15 to 30 ms a check, and bounded memory when many sign in at once."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1

    def harden_runtime(self, password: str, encoded: str) -> None:
        """A wrong password for a hash of less cost takes as long as for any other: Django asks for it here."""
        self.encode(password, self.salt())


class Argon2Generated(Argon2):
    """For what `new_passwords.generate` made: 79 bits of chance need no slow hash: ten thousand take seconds.

    The same algorithm by name, so that the first web sign-in stores the full cost.
    """

    time_cost = 1
    memory_cost = 1024


def on_all_cores(work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    """Do work that is one slow hash each: argon2 lets other threads go on. No statement may be in it."""
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(CORES) as pool:
        return list(pool.map(work, items))
