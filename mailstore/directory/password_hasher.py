"""The password hash: Argon2id with the parameters of OWASP, at about a quarter of Django's default cost."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


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
