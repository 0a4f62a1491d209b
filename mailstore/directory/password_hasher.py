"""The password hash: Argon2id with the parameters of OWASP, at about a quarter of Django's default cost.

Passwords are compared in NFC: a phone, a browser and an old mail program send one password in different octets.
"""

from __future__ import annotations

import unicodedata

from django.contrib.auth.hashers import Argon2PasswordHasher, BasePasswordHasher, get_hasher

from mailstore.directory import imported_hash
from mailstore.policy import foreign_hash


class Argon2(Argon2PasswordHasher):
    """19 MiB, two passes, one lane. A check takes 15 to 30 ms, and memory stays bounded when many sign in at once."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return super().encode(unicodedata.normalize("NFC", password), salt)

    def verify(self, password: str, encoded: str) -> bool:
        return super().verify(unicodedata.normalize("NFC", password), encoded)

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Make a wrong password for a cheaper hash take as long as for any other. Called by Django."""
        self.encode(password, self.salt())


class Argon2Generated(Argon2):
    """For passwords that `new_password.generate` made. They have 79 random bits and need no slow hash.

    The algorithm has the same name, so that Django stores the full cost at the first web sign-in.
    """

    time_cost = 1
    memory_cost = 1024


class Imported(BasePasswordHasher):
    """A hash that another server made. The first right password replaces it by our own hash.

    A check takes at least as long as that of our own hash: a wrong password is hashed too, a right one for its new
    hash. So nobody learns who has not signed in yet.
    """

    algorithm = foreign_hash.ALGORITHM

    def verify(self, password: str, encoded: str) -> bool:
        found = foreign_hash.parse_stored(encoded)
        right = imported_hash.matches(unicodedata.normalize("NFC", password), found)
        if not right:
            self.harden_runtime(password, encoded)
        return right

    def harden_runtime(self, password: str, encoded: str) -> None:
        own = get_hasher()
        own.encode(password, own.salt())
