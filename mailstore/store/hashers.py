"""The password hash: Argon2id at the figures OWASP gives, about a quarter of Django's default cost."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """19 MiB, two passes, one lane: 15 to 30 ms a check, and bounded memory when many sign in at once."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1
