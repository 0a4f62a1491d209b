"""Read a password hash that another server made, and write it in one form: `{SCHEME}value`, as Dovecot does. Pure.

`directory/imported_hash.py` compares passwords with what this returns. The bounds say how dear a hash may be: a check
takes a thread from all sign-ins, and strangers can ask for it.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import NoReturn

from mailstore.policy import hash_form

ALGORITHM = hash_form.IMPORTED  # before the first dollar of a stored hash: the name of its hasher
STORED_CHARACTERS = 255  # the columns of hashes
PLAIN = "PLAIN"  # no hash: the password itself

# Each of these takes about 200 ms of a core, ten times our own hash. It is what servers use that are set up strictly.
BCRYPT_COST = 12
SHA_CRYPT_ROUNDS = 100_000
PBKDF2_ROUNDS = 400_000
ARGON2_KIB = 128 * 1024
ARGON2_WORK = 256 * 1024  # KiB times passes
ARGON2_LANES = 16

DIGEST_OCTETS = {"MD5": 16, "SHA": 20, "SHA256": 32, "SHA512": 64}
SALT_OCTETS = 64  # of a salted digest; Dovecot makes 4, others up to 16


class Flaw(Enum):
    """Why a text cannot be taken as the hash of a password."""

    NO_HASH = auto()
    UNSUPPORTED = auto()
    MALFORMED = auto()
    TOO_DEAR = auto()
    LOCKED = auto()


class BadHash(ValueError):
    """A text that is no hash, or one that cannot be used. `scheme` is its name, "" where none is known."""

    def __init__(self, flaw: Flaw, scheme: str = "") -> None:
        super().__init__(f"{scheme or 'no hash'}: {flaw.name}")
        self.flaw = flaw
        self.scheme = scheme


@dataclass(frozen=True, slots=True)
class ForeignHash:
    """A hash in its one form. Where the scheme is PLAIN, the value is the password itself."""

    scheme: str
    value: str

    @property
    def text(self) -> str:
        return f"{{{self.scheme}}}{self.value}"

    @property
    def stored(self) -> str:
        """Return what the column of the hash holds. `parse_stored` turns it back."""
        return f"{ALGORITHM}${self.text}"


def is_stored(encoded: str) -> bool:
    """Return whether a stored hash is one that another server made."""
    return encoded.startswith(f"{ALGORITHM}$")


def parse_stored(encoded: str) -> ForeignHash:
    """Read what `ForeignHash.stored` wrote."""
    scheme, _, value = encoded.removeprefix(f"{ALGORITHM}${{").partition("}")
    return ForeignHash(scheme, value)


def parse(text: str) -> ForeignHash:
    """Read `{SCHEME}value`, `{SCHEME.b64}value`, `{SCHEME.hex}value`, `$id$…`, or thirteen characters of DES.

    BadHash says why it cannot be taken.
    """
    bare = text.strip()
    if bare.startswith(("!", "*")) and hash_form.scheme_of(bare):
        raise BadHash(Flaw.LOCKED, hash_form.scheme_of(bare) or "")
    if braced := _BRACED.fullmatch(text.lstrip()):
        name, encoding, value = braced.groups()
        found = _read(_scheme(name), (encoding or "").lower(), value)
    else:
        found = _read(_CRYPT, "", bare)
    if len(found.stored) > STORED_CHARACTERS and found.scheme != PLAIN:
        raise BadHash(Flaw.MALFORMED, found.scheme)
    return found


# --- schemes --------------------------------------------------------------------------------------------------------

_BRACED = re.compile(r"\{([A-Za-z][A-Za-z0-9_-]*)(?:\.([A-Za-z0-9]+))?\}(.*)", re.DOTALL)
_CRYPT = "CRYPT"
_SAME = {
    "BCRYPT": "BLF-CRYPT",
    "CLEAR": PLAIN,
    "CLEARTEXT": PLAIN,
    "SHA1": "SHA",
    "LDAP-MD5": "PLAIN-MD5",
    "MD5RAW": "PLAIN-MD5",  # Courier's
    "ARGON2": _CRYPT,
    "SSHA1": "SSHA",
}
_SALTED = {"SMD5": "MD5", "SSHA": "SHA", "SSHA256": "SHA256", "SSHA512": "SHA512"}
_BCRYPT_DIGITS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_H64 = "[./0-9A-Za-z]"
_ARGON2_REST = (
    r"v=19\$m=(?P<memory>[1-9]\d{0,7}),t=(?P<passes>[1-9]\d{0,5}),p=(?P<lanes>[1-9]\d{0,3})"
    r"\$[+/0-9A-Za-z]{11,86}\$[+/0-9A-Za-z]{16,86}"
)
_FORMS = {
    "MD5-CRYPT": re.compile(rf"\$1\${_H64}{{0,8}}\${_H64}{{22}}"),
    "SHA256-CRYPT": re.compile(rf"\$5\$(?:rounds=(?P<crypt_rounds>[1-9]\d{{3,8}})\$)?{_H64}{{0,16}}\${_H64}{{43}}"),
    "SHA512-CRYPT": re.compile(rf"\$6\$(?:rounds=(?P<crypt_rounds>[1-9]\d{{3,8}})\$)?{_H64}{{0,16}}\${_H64}{{86}}"),
    "BLF-CRYPT": re.compile(rf"\$2[aby]\$(?P<cost>0[4-9]|[12]\d|3[01])\${_H64}{{53}}"),
    "DES-CRYPT": re.compile(rf"{_H64}{{13}}"),
    "ARGON2I": re.compile(r"\$argon2i\$" + _ARGON2_REST),
    "ARGON2ID": re.compile(r"\$argon2id\$" + _ARGON2_REST),
    "PBKDF2": re.compile(  # Dovecot's own form, and the one of Python programs
        r"\$1\$(?P<salt>[!-#%-~]{1,64})\$(?P<rounds>[1-9]\d{0,8})\$(?P<digest>[0-9a-f]{40})"
        rf"|\$pbkdf2(?:-sha256|-sha512)?\$(?P<other_rounds>[1-9]\d{{0,8}})\${_H64}{{0,100}}\${_H64}{{27,86}}"
    ),
}
_LIMITS = {
    "cost": BCRYPT_COST,
    "crypt_rounds": SHA_CRYPT_ROUNDS,
    "rounds": PBKDF2_ROUNDS,
    "other_rounds": PBKDF2_ROUNDS,
    "memory": ARGON2_KIB,
    "lanes": ARGON2_LANES,
}


def _scheme(name: str) -> str:
    upper = name.upper().replace("_", "-")
    return _SAME.get(upper, upper)


def _read(scheme: str, encoding: str, value: str) -> ForeignHash:
    reader = _READERS.get(scheme)
    if reader is None:
        known = hash_form.scheme_of(f"{{{scheme}}}{value}")
        raise BadHash(Flaw.UNSUPPORTED if known else Flaw.NO_HASH, scheme if known else "")
    if encoding not in _ENCODINGS:
        raise BadHash(Flaw.UNSUPPORTED, f"{scheme}.{encoding.upper()}")
    return reader(scheme, encoding, value)


def _plain(scheme: str, encoding: str, value: str) -> ForeignHash:
    password = _decoded_text(scheme, encoding, value)
    return ForeignHash(PLAIN, password) if password else _malformed(scheme)


def _crypt(scheme: str, encoding: str, value: str) -> ForeignHash:
    """Read a hash that tells its scheme itself, as those of crypt(3) do."""
    text = _decoded_text(scheme, encoding, value).strip()
    for unnamed in _UNNAMED:
        if _FORMS[unnamed].fullmatch(text):
            return _formed(unnamed, "", text)
    known = hash_form.scheme_of(text)
    if known is None or text.startswith("{"):
        raise BadHash(Flaw.NO_HASH)
    if text.startswith(_OTHER_PREFIXES):
        raise BadHash(Flaw.UNSUPPORTED, f"${text.split('$')[1]}$")
    if known not in _FORMS:
        raise BadHash(Flaw.UNSUPPORTED, known)
    return _formed(known, "", text)


def _formed(scheme: str, encoding: str, value: str) -> ForeignHash:
    """Read a hash whose form is a pattern, and refuse one that is too dear."""
    text = _decoded_text(scheme, encoding, value).strip()
    found = _FORMS[scheme].fullmatch(text)
    if found is None:
        _malformed(scheme)
    if _is_dear(found.groupdict()):
        raise BadHash(Flaw.TOO_DEAR, scheme)
    return ForeignHash(scheme, _without_spare_bits(text) if scheme == "BLF-CRYPT" else text)


def _without_spare_bits(text: str) -> str:
    """Return a hash of bcrypt whose salt and digest end as the library writes them.

    Their last characters have bits that mean nothing. Some programs set them, crypt(3) ignores them, and the library
    refuses them.
    """
    salt, digest = text[:29], text[29:]
    last_of_salt, last_of_digest = (_BCRYPT_DIGITS.index(part[-1]) for part in (salt, digest))
    return (
        f"{salt[:-1]}{_BCRYPT_DIGITS[last_of_salt & 0b110000]}{digest[:-1]}{_BCRYPT_DIGITS[last_of_digest & 0b111100]}"
    )


def _md5(scheme: str, encoding: str, value: str) -> ForeignHash:
    """Read `{MD5}`, which means MD5-CRYPT or the digest alone."""
    try:
        return _formed("MD5-CRYPT", encoding, value)
    except BadHash:
        return _digest("PLAIN-MD5", encoding, value)


def _digest(scheme: str, encoding: str, value: str) -> ForeignHash:
    octets = DIGEST_OCTETS[scheme.removeprefix("PLAIN-")]
    data = _decoded(scheme, encoding, value.strip(), octets)
    if len(data) != octets:
        _malformed(scheme)
    return ForeignHash(scheme, data.hex() if scheme == "PLAIN-MD5" else b64encode(data).decode())


def _salted(scheme: str, encoding: str, value: str) -> ForeignHash:
    octets = DIGEST_OCTETS[_SALTED[scheme]]
    data = _decoded(scheme, encoding, value.strip(), None)
    if not octets < len(data) <= octets + SALT_OCTETS:
        _malformed(scheme)
    return ForeignHash(scheme, b64encode(data).decode())


_READERS: dict[str, Callable[[str, str, str], ForeignHash]] = {
    PLAIN: _plain,
    _CRYPT: _crypt,
    "MD5": _md5,
    **dict.fromkeys(_FORMS, _formed),
    **dict.fromkeys(("PLAIN-MD5", "SHA", "SHA256", "SHA512"), _digest),
    **dict.fromkeys(_SALTED, _salted),
}
_UNNAMED = ("DES-CRYPT", "PBKDF2")  # forms without a name, and one that Dovecot gives the name of another: `$1$`
_OTHER_PREFIXES = ("$apr1$", "$2x$", "$2$")  # kin of MD5-CRYPT and BLF-CRYPT that give other digests


def salted_parts(found: ForeignHash) -> tuple[str, bytes, bytes]:
    """Return the digest's name, the digest and the salt of a digest, salted or not."""
    name = _SALTED.get(found.scheme, found.scheme.removeprefix("PLAIN-"))
    data = bytes.fromhex(found.value) if found.scheme == "PLAIN-MD5" else b64decode(found.value)
    octets = DIGEST_OCTETS[name]
    return name, data[:octets], data[octets:]


def pbkdf2_parts(found: ForeignHash) -> tuple[bytes, int, bytes] | None:
    """Return salt, rounds and digest of Dovecot's PBKDF2 (HMAC-SHA-1); None for the form of other programs."""
    parts = _FORMS["PBKDF2"].fullmatch(found.value)
    if parts is None or parts["salt"] is None:
        return None
    return parts["salt"].encode(), int(parts["rounds"]), bytes.fromhex(parts["digest"])


def _is_dear(parts: Mapping[str, str | None]) -> bool:
    work = int(parts.get("memory") or 0) * int(parts.get("passes") or 0)
    return work > ARGON2_WORK or any(int(parts.get(name) or 0) > most for name, most in _LIMITS.items())


# --- encodings ------------------------------------------------------------------------------------------------------

_ENCODINGS = ("", "b64", "base64", "hex")


def _decoded_text(scheme: str, encoding: str, value: str) -> str:
    if not encoding:
        return value
    try:
        return _decoded(scheme, encoding, value.strip(), None).decode()
    except UnicodeDecodeError:
        _malformed(scheme)


def _decoded(scheme: str, encoding: str, value: str, octets: int | None) -> bytes:
    """Return the octets of a value in base64 or hex. A digest in hex is known by its length, as Dovecot knows it."""
    is_hex = encoding == "hex" or (not encoding and octets is not None and len(value) == 2 * octets)
    try:
        return bytes.fromhex(value) if is_hex else b64decode(value, validate=True)
    except (NotBase64, ValueError):
        _malformed(scheme)


def _malformed(scheme: str) -> NoReturn:
    raise BadHash(Flaw.MALFORMED, scheme)
