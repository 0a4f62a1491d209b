"""A cheap password hash that counts its runs, to measure what a sign-in costs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib.auth.hashers import Argon2PasswordHasher

LONGEST_SECONDS = 30.0
PATH = "tests.site.counting_hasher.Counting"


class Counting(Argon2PasswordHasher):
    """Argon2 as the site uses it, at the smallest figures it takes."""

    time_cost, memory_cost, parallelism = 1, 8, 1
    runs = 0

    def verify(self, password: str, encoded: str) -> bool:
        Counting.runs += 1
        return super().verify(password, encoded)

    def encode(self, password: str, salt: str) -> str:
        Counting.runs += 1
        return super().encode(password, salt)


GATED = "tests.site.counting_hasher.Gated"


class Gated(Counting):
    """One whose checks wait until the test sets `may_check`; `checked` are the passwords, as their checks begin."""

    may_check = threading.Event()
    checked: ClassVar[list[str]] = []

    def verify(self, password: str, encoded: str) -> bool:
        Gated.checked.append(password)
        assert Gated.may_check.wait(LONGEST_SECONDS), "the test forgot to set may_check"
        return super().verify(password, encoded)


def cost(act: Callable[[], Any]) -> tuple[Any, int]:
    """Return what the act gave, and how many slow hashes it took."""
    before = Counting.runs
    given = act()
    return given, Counting.runs - before
