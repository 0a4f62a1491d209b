"""Password hashes as a real Dovecot makes them."""

from __future__ import annotations

from functools import cache

from tests.installed_program import program
from tests.listeners import run

HASHES = (
    "SHA512-CRYPT", "SHA256-CRYPT", "MD5-CRYPT", "DES-CRYPT", "CRYPT", "BLF-CRYPT", "SSHA", "SSHA256", "SSHA512", "SHA",
    "SHA1", "SHA256", "SHA512", "SMD5", "PLAIN-MD5", "LDAP-MD5", "MD5", "PBKDF2", "ARGON2I", "ARGON2ID",
)  # fmt: skip
PLAIN = ("PLAIN", "CLEARTEXT", "CLEAR")
ENCODED = ("SSHA256.hex", "SSHA.b64", "SHA512-CRYPT.b64", "BLF-CRYPT.hex", "PLAIN-MD5.b64", "PLAIN.hex", "MD5.hex")
SCHEMES = (*HASHES, *PLAIN, *ENCODED)
REFUSED = ("CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "OTP", "PLAIN-MD4", "PLAIN-TRUNC")
BARE = ("SHA512-CRYPT", "SHA256-CRYPT", "MD5-CRYPT", "DES-CRYPT", "BLF-CRYPT", "PBKDF2", "ARGON2I", "ARGON2ID")


@cache
def hash_of(scheme: str, password: str) -> str:
    """What `doveadm pw` prints."""
    made = run([program("doveadm"), "pw", "-s", scheme, "-u", "ann@example.org", "-p", password])
    assert made.returncode == 0, made.stderr
    return made.stdout.decode().strip()
