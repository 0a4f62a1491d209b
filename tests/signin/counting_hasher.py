"""A password hasher that counts how often it hashes, so that a cost can be compared without a clock."""

from __future__ import annotations

from django.contrib.auth.hashers import MD5PasswordHasher


class Counting(MD5PasswordHasher):
    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).hashed += 1
        return super().encode(password, salt)
