"""Hashes of other servers: what is read, in which form it is kept, and why some are refused."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.policy import foreign_hash
from mailstore.policy.foreign_hash import BadHash, Flaw
from tests import doveadm

PASSWORD = "Café2026!xk"
BCRYPT = "abcdefghijklmnopqrstuu" + "x" * 31


def flaw(text: str) -> tuple[Flaw, str]:
    with pytest.raises(BadHash) as refusal:
        foreign_hash.parse(text)
    return refusal.value.flaw, refusal.value.scheme


@pytest.mark.real
@pytest.mark.parametrize("scheme", doveadm.SCHEMES)
def test_what_dovecot_writes_is_read_and_kept_in_a_form_that_is_read_again(scheme: str) -> None:
    found = foreign_hash.parse(doveadm.hash_of(scheme, PASSWORD))
    assert foreign_hash.parse(found.text) == found
    assert foreign_hash.parse_stored(found.stored) == found
    assert foreign_hash.is_stored(found.stored)
    assert len(found.stored) <= foreign_hash.STORED_CHARACTERS


@pytest.mark.real
@pytest.mark.parametrize("scheme", doveadm.BARE)
def test_a_hash_that_tells_its_scheme_needs_no_braces(scheme: str) -> None:
    braced = doveadm.hash_of(scheme, PASSWORD)
    assert foreign_hash.parse(braced.partition("}")[2]) == foreign_hash.parse(braced)


@pytest.mark.real
@pytest.mark.parametrize("scheme", doveadm.REFUSED)
def test_a_scheme_against_which_no_password_can_be_checked_is_refused_by_its_name(scheme: str) -> None:
    assert flaw(doveadm.hash_of(scheme, PASSWORD)) == (Flaw.UNSUPPORTED, scheme)


def test_couriers_names_are_known_too() -> None:
    raw = foreign_hash.parse("{MD5RAW}5ef401cff09306a4fa8f8fe4059a3d03")
    assert raw == foreign_hash.parse("{MD5}XvQBz/CTBqT6j4/kBZo9Aw==") == foreign_hash.parse(f"{{PLAIN-MD5}}{raw.value}")


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("$y$j9T$salt$c2VjcmV0c2VjcmV0c2VjcmV0", "YESCRYPT"),
        ("{CRYPT}$y$j9T$salt$c2VjcmV0c2VjcmV0c2VjcmV0", "YESCRYPT"),
        ("$apr1$saltsalt$" + "x" * 22, "$apr1$"),
        ("$2x$10$" + BCRYPT, "$2x$"),
        ("$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", "PHPASS"),
        ("pbkdf2_sha256$600000$salt$aGFzaA=", "PBKDF2_SHA256"),
        ("{SSHA.b32}MFRGG", "SSHA.B32"),
    ],
)
def test_other_schemes_are_refused_by_name(text: str, scheme: str) -> None:
    assert flaw(text) == (Flaw.UNSUPPORTED, scheme)


@pytest.mark.parametrize(
    "text", ["", " ", "secret", "correct horse battery staple", "{HOMEGROWN}abc", "{}x", "5f4dcc3b"]
)
def test_what_is_no_hash_is_never_taken_for_one(text: str) -> None:
    assert flaw(text)[0] is Flaw.NO_HASH


@pytest.mark.parametrize(
    "text",
    [
        "{SHA512-CRYPT}$6$salt$short",
        "{SHA512-CRYPT}$5$salt$" + "x" * 43,
        "$6$rounds=5$salt$" + "x" * 86,
        "$1$saltsaltsalt$" + "x" * 22,
        "$2y$10$short",
        "$2y$03$" + BCRYPT,
        "{SHA}abc",
        "{SHA}not base64!",
        "{SSHA}" + b64encode(b"x" * 20).decode(),
        "{SSHA}" + b64encode(b"x" * 200).decode(),
        "{PLAIN-MD5}" + "g" * 32,
        "{PLAIN}",
        "{PLAIN.b64}/w==",
        "{PBKDF2}$1$salt$0$" + "0" * 40,
        "$argon2id$v=19$m=0,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
        "{ARGON2ID}$argon2d$v=19$m=16,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
    ],
)
def test_an_incomplete_hash_is_refused(text: str) -> None:
    assert flaw(text)[0] is Flaw.MALFORMED


def argon2(memory: int, passes: int, lanes: int = 1) -> str:
    return f"$argon2id$v=19$m={memory},t={passes},p={lanes}$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"


@pytest.mark.parametrize(
    ("taken", "too_dear"),
    [
        ("$6$rounds=100000$s$" + "x" * 86, "$6$rounds=999999$s$" + "x" * 86),
        ("$5$rounds=100000$s$" + "x" * 43, "$5$rounds=100001$s$" + "x" * 43),
        ("$2y$12$" + BCRYPT, "$2y$13$" + BCRYPT),
        ("{PBKDF2}$1$9$400000$" + "0" * 40, "{PBKDF2}$1$9$400001$" + "0" * 40),
        ("$pbkdf2-sha256$400000$salt$" + "x" * 43, "$pbkdf2-sha256$400001$salt$" + "x" * 43),
        (argon2(65536, 4), argon2(65536, 5)),
        (argon2(131072, 2), argon2(131073, 1)),
        (argon2(1024, 1, 16), argon2(1024, 1, 17)),
    ],
)
def test_a_hash_that_would_hold_up_the_sign_ins_of_others_is_refused(taken: str, too_dear: str) -> None:
    assert foreign_hash.parse(taken).stored
    assert flaw(too_dear)[0] is Flaw.TOO_DEAR


def test_the_hash_of_a_locked_account_is_refused_as_such() -> None:
    assert flaw("!$6$salt$" + "x" * 86) == (Flaw.LOCKED, "SHA512-CRYPT")


@pytest.mark.parametrize("text", ["{PLAIN} two words ", "{cleartext} two words ", "{PLAIN.hex}2074776f20776f72647320"])
def test_a_plain_password_keeps_its_blanks(text: str) -> None:
    assert foreign_hash.parse(text) == foreign_hash.ForeignHash("PLAIN", " two words ")


@given(st.binary(min_size=1, max_size=16), st.sampled_from(["SSHA", "SSHA256", "SSHA512", "SMD5"]))
def test_every_encoding_of_a_digest_is_the_same_digest(salt: bytes, scheme: str) -> None:
    name = {"SMD5": "md5", "SSHA": "sha1"}.get(scheme, scheme[1:].lower())
    digest = hashlib.new(name, b"secret" + salt).digest()
    data = digest + salt
    forms = [f"{{{scheme}}}{b64encode(data).decode()}", f"{{{scheme}.HEX}}{data.hex()}", f"{{{scheme.lower()}.b64}}"]
    forms[2] += b64encode(data).decode()
    (found,) = {foreign_hash.parse(form) for form in forms}
    assert foreign_hash.salted_parts(found)[1:] == (digest, salt)


@given(st.text(max_size=80))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    """Nothing else is raised, and what is read is read again."""
    for form in (
        text,
        f"{{SSHA}}{text}",
        f"{{SHA256.hex}}{text}",
        f"$6${text}",
        f"{{PBKDF2}}{text}",
        f"$argon2id${text}",
    ):
        try:
            found = foreign_hash.parse(form)
        except BadHash:
            continue
        assert foreign_hash.parse(found.text) == found
