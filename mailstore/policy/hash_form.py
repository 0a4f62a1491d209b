"""Tell a password hash from a password by its form, so that no hash is taken for the password itself. Pure."""

from __future__ import annotations

import re

IMPORTED = "imported"  # before a dollar and `{SCHEME}rest`: a hash of another server, as this site stores it

# `{SCHEME}rest`, as Dovecot, LDAP and panels write it; the encoding may follow the name: `.b64`, `.hex`.
_BRACED = re.compile(r"\{([A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*)(?:\.[A-Za-z0-9]+)?\}(.*)", re.DOTALL)
_SCHEME = re.compile(
    r"S?SHA(?:1|224|256|384|512)?|S?MD5|MD4|(?:PLAIN|LDAP|CRAM|DIGEST|HMAC)-MD[45]|(?:(?:SHA256|SHA512|MD5|DES|BLF)-)?CRYPT"
    r"|PLAIN(?:-TRUNC)?|CLEAR(?:TEXT)?|(?:X-)?PBKDF2(?:-SHA(?:1|256|512))?|SCRAM(?:-SHA-(?:1|256|512))?"
    r"|ARGON2(?:I|D|ID)?|BCRYPT|SCRYPT|SODIUM|LM|LANMAN|NT|NTHASH|NTLM|APOP|RPA|SASL|SKEY|OTP"
)

# `$id$rest`, as crypt(3) and its successors write it.
_MODULAR = re.compile(r"\$([A-Za-z0-9][A-Za-z0-9_-]*)(?:,[^$]*)?\$(.*)", re.DOTALL)
_IDS = {
    "1": "MD5-CRYPT",
    "2": "BLF-CRYPT",
    "2a": "BLF-CRYPT",
    "2b": "BLF-CRYPT",
    "2x": "BLF-CRYPT",
    "2y": "BLF-CRYPT",
    "3": "NTHASH",
    "5": "SHA256-CRYPT",
    "6": "SHA512-CRYPT",
    "7": "SCRYPT",
    "apr1": "MD5-CRYPT",
    "argon2d": "ARGON2D",
    "argon2i": "ARGON2I",
    "argon2id": "ARGON2ID",
    "bcrypt": "BCRYPT",
    "bcrypt-sha256": "BCRYPT",
    "gy": "GOST-YESCRYPT",
    "md5": "SUN-MD5",
    "p5k2": "PBKDF2",
    "pbkdf2": "PBKDF2",
    "pbkdf2-sha256": "PBKDF2",
    "pbkdf2-sha512": "PBKDF2",
    "scram": "SCRAM",
    "scrypt": "SCRYPT",
    "sha1": "SHA1-CRYPT",
    "sm3": "SM3-CRYPT",
    "sm3y": "SM3-YESCRYPT",
    "y": "YESCRYPT",
}
_PORTABLE = re.compile(r"\$[PHS]\$[./0-9A-Za-z]{20,}")  # phpass and Drupal: the first character gives the costs
# `algorithm$rest`, as Django, and so this site, stores it.
_STORED = re.compile(
    r"(argon2|bcrypt|bcrypt_sha256|md5|pbkdf2_sha1|pbkdf2_sha256|scrypt|sha1|unsalted_md5|unsalted_sha1)\$.*\$.+",
    re.DOTALL,
)
_UNKNOWN_BRACED, _UNKNOWN_MODULAR = "{…}", "$…$"  # never the text itself, which may be a password after all
_DIGEST = re.compile(r"[./+0-9A-Za-z]{20,}=*")  # 15 random octets or more, in base64 or hex
_LOCKS = "!*"  # before the hash of a locked account, in /etc/shadow and files made from it


def scheme_of(text: str) -> str | None:
    """Return the name of the scheme if `text` has the form of a password hash; None if it may be a password.

    A known name in braces or between dollars is enough. An unknown name counts only if a digest follows.
    """
    bare = text.strip().lstrip(_LOCKS).removeprefix(f"{IMPORTED}$")
    if braced := _BRACED.fullmatch(bare):
        return _braced(braced[1], braced[2])
    if _PORTABLE.fullmatch(bare):
        return "PHPASS"
    if modular := _MODULAR.fullmatch(bare):
        return _modular(modular[1], modular[2])
    stored = _STORED.fullmatch(bare)
    return stored[1].upper() if stored else None


def _braced(name: str, rest: str) -> str | None:
    scheme = name.upper().replace("_", "-")
    if rest and _SCHEME.fullmatch(scheme):
        return scheme
    return _UNKNOWN_BRACED if rest.startswith("$") or _DIGEST.fullmatch(rest) else None


def _modular(identifier: str, rest: str) -> str | None:
    if not rest:
        return None
    if identifier.lower() in _IDS:
        return _IDS[identifier.lower()]
    return _UNKNOWN_MODULAR if _DIGEST.fullmatch(rest.rpartition("$")[2]) else None
