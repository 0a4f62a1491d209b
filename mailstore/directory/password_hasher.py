"""The password hash: Argon2id with the parameters of OWASP, at about a quarter of Django's default cost."""

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
    """19 MiB, two passes, one lane. A check takes 15 to 30 ms, and memory stays bounded when many sign in at once."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Make a wrong password for a cheaper hash take as long as for any other. Called by Django."""
        self.encode(password, self.salt())


class Argon2Generated(Argon2):
    """For passwords that `new_password.generate` made. They have 79 random bits and need no slow hash.

    The algorithm has the same name, so that Django stores the full cost at the first web sign-in.
    """

    time_cost = 1
    memory_cost = 1024


def on_all_cores(work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    """Call `work`, which makes one slow hash and uses no SQL, for each item. Threads help: argon2 releases the lock."""
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(CORES) as pool:
        return list(pool.map(work, items))
