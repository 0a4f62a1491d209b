"""Compare passwords with hashes that another server made, and write hashes for another server."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from passlib.hash import (
    des_crypt,
    md5_crypt,
    pbkdf2_sha1,
    pbkdf2_sha256,
    pbkdf2_sha512,
    sha256_crypt,
    sha512_crypt,
)

from mailstore.policy import foreign_hash
from mailstore.policy.foreign_hash import ForeignHash

SECRET_OCTETS = 4096  # no server took a longer password; libpass raises an error for one
BCRYPT_OCTETS = 72  # crypt(3) ignores the rest; the library refuses it
_OWN_ARGON2 = "argon2$"
_PBKDF2 = {"pbkdf2": pbkdf2_sha1, "pbkdf2-sha256": pbkdf2_sha256, "pbkdf2-sha512": pbkdf2_sha512}


def matches(password: str, found: ForeignHash) -> bool:
    """Return whether this is the password of the hash. It takes as long as the hash asks for.

    A hash that its library refuses opens for nobody. An error would show strangers which account has it.
    """
    secret = password.encode(errors="surrogatepass")
    if b"\0" in secret or len(secret) > SECRET_OCTETS:
        return False
    try:
        return _CHECKS[found.scheme](secret, found)
    except ValueError:
        return False


def exported(encoded: str) -> str | None:
    """Return a stored hash as `{SCHEME}value`, as Dovecot and our own import read it; None where no password is set."""
    if foreign_hash.is_stored(encoded):
        return foreign_hash.parse_stored(encoded).text
    if encoded.startswith(_OWN_ARGON2):
        return f"{{ARGON2ID}}${encoded.removeprefix(_OWN_ARGON2)}"
    return None if not encoded or encoded.startswith(UNUSABLE_PASSWORD_PREFIX) else encoded


def _digest(secret: bytes, found: ForeignHash) -> bool:
    name, digest, salt = foreign_hash.salted_parts(found)
    return hmac.compare_digest(_HASHES[name](secret + salt).digest(), digest)


def _bcrypt(secret: bytes, found: ForeignHash) -> bool:
    return bcrypt.checkpw(secret[:BCRYPT_OCTETS], found.value.encode())


def _argon2(secret: bytes, found: ForeignHash) -> bool:
    try:
        return PasswordHasher().verify(found.value, secret)
    except (VerificationError, InvalidHashError):
        return False


def _pbkdf2(secret: bytes, found: ForeignHash) -> bool:
    parts = foreign_hash.pbkdf2_parts(found)
    if parts is None:
        return bool(_PBKDF2[found.value.split("$")[1]].verify(secret, found.value))
    salt, rounds, digest = parts
    return hmac.compare_digest(hashlib.pbkdf2_hmac("sha1", secret, salt, rounds, len(digest)), digest)


def _crypt(scheme: Any) -> Callable[[bytes, ForeignHash], bool]:
    return lambda secret, found: bool(scheme.verify(secret, found.value))


_HASHES: dict[str, Callable[[bytes], hashlib._Hash]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
    "SHA": lambda data: hashlib.sha1(data, usedforsecurity=False),
    "SHA256": hashlib.sha256,
    "SHA512": hashlib.sha512,
}
_CHECKS: dict[str, Callable[[bytes, ForeignHash], bool]] = {
    **dict.fromkeys(("PLAIN-MD5", "SMD5", "SHA", "SSHA", "SHA256", "SSHA256", "SHA512", "SSHA512"), _digest),
    **dict.fromkeys(("ARGON2I", "ARGON2ID"), _argon2),
    "BLF-CRYPT": _bcrypt,
    "PBKDF2": _pbkdf2,
    "DES-CRYPT": _crypt(des_crypt),
    "MD5-CRYPT": _crypt(md5_crypt),
    "SHA256-CRYPT": _crypt(sha256_crypt),
    "SHA512-CRYPT": _crypt(sha512_crypt),
}
