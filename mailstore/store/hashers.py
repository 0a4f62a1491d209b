"""The password hash: Argon2id at the figures OWASP gives, about a quarter of Django's default cost."""

from django.contrib.auth.hashers import Argon2PasswordHasher


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
