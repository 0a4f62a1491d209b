"""Password hashes are told from passwords by their form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.policy import hash_form

CRYPT_512 = "$6$rounds=5000$saltsalt$" + "x" * 86


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("{SHA512-CRYPT}" + CRYPT_512, "SHA512-CRYPT"),
        ("{SHA512-CRYPT}…", "SHA512-CRYPT"),
        ("{sha256_crypt}$5$salt$x", "SHA256-CRYPT"),
        ("{SSHA256.b64}c2VjcmV0c2VjcmV0", "SSHA256"),
        ("{PLAIN-MD5.hex}5f4dcc3b5aa765d61d8327deb882cf99", "PLAIN-MD5"),
        ("{BLF-CRYPT}$2y$05$" + "x" * 53, "BLF-CRYPT"),
        ("{CRAM-MD5}e02d374fde0dc75a17a557039a3a5338", "CRAM-MD5"),
        ("{SCRAM-SHA-256}4096,c2FsdA==,a=,b=", "SCRAM-SHA-256"),
        ("{PLAIN}secret", "PLAIN"),
        ("{CLEARTEXT}secret", "CLEARTEXT"),
        ("{CRYPT}ab01FAX.bQRSU", "CRYPT"),
        ("{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA", "ARGON2ID"),
        ("{HOMEGROWN}c2VjcmV0c2VjcmV0c2VjcmV0", "{…}"),
        ("{HOMEGROWN}$x$y", "{…}"),
        ("$1$salt$x", "MD5-CRYPT"),
        ("$5$salt$x", "SHA256-CRYPT"),
        (CRYPT_512, "SHA512-CRYPT"),
        ("$2a$10$" + "x" * 53, "BLF-CRYPT"),
        ("$2b$10$" + "x" * 53, "BLF-CRYPT"),
        ("$2y$10$" + "x" * 53, "BLF-CRYPT"),
        ("$argon2i$v=19$m=16,t=2,p=1$c2FsdA$aGFzaA", "ARGON2I"),
        ("$argon2id$v=19$m=16,t=2,p=1$c2FsdA$aGFzaA", "ARGON2ID"),
        ("$pbkdf2$131000$c2FsdA$aGFzaA", "PBKDF2"),
        ("$pbkdf2-sha256$131000$c2FsdA$aGFzaA", "PBKDF2"),
        ("$apr1$salt$x", "MD5-CRYPT"),
        ("$md5,rounds=5000$salt$$x", "SUN-MD5"),
        ("$y$j9T$salt$x", "YESCRYPT"),
        ("$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", "PHPASS"),
        ("$S$DvQI6Y600iNeXRIeEMF94Y6FvN8nujJcEDTCP9nS5.i38jnEKuDR", "PHPASS"),
        ("$new-one$salt$c2VjcmV0c2VjcmV0c2VjcmV0", "$…$"),
        ("!" + CRYPT_512, "SHA512-CRYPT"),
        (f"  {CRYPT_512} ", "SHA512-CRYPT"),
        ("argon2$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "ARGON2"),
        ("pbkdf2_sha256$600000$salt$aGFzaA=", "PBKDF2_SHA256"),
        ("imported${SHA}6gm4jsWoFH5igA6J+AlB2spqT1U=", "SHA"),
    ],
)
def test_a_hash_is_known_by_its_form_and_named_by_its_scheme(text: str, scheme: str) -> None:
    assert hash_form.scheme_of(text) == scheme


@pytest.mark.parametrize(
    "text",
    [
        "correct horse battery staple",
        "$ecret Horse 2026",
        "$$$money$$$ 2026",
        "$money$ and more",
        "$tone$wall-Jackson",
        "{curly} braces 2026",
        "{curly}braces-2026",
        "{}empty-braces",
        "{not closed 2026",
        "{two words}c2VjcmV0c2VjcmV0c2VjcmV0",
        "{SHA}",
        "$6$",
        "!important-2026",
        "md5 $ money $ here",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "k7mq-x2ra-hh9d-w3tc",
        "",
    ],
)
def test_a_password_that_is_no_hash_stays_one_whatever_it_begins_with(text: str) -> None:
    assert hash_form.scheme_of(text) is None


@given(st.text(st.characters(exclude_characters="${}"), max_size=60))
def test_without_braces_and_dollars_nothing_is_a_hash(text: str) -> None:
    assert hash_form.scheme_of(text) is None


@given(st.sampled_from(["1", "5", "6", "2y", "argon2id", "y", "apr1"]), st.text(min_size=1).filter(str.strip))
def test_a_known_mark_is_believed_whatever_follows(mark: str, rest: str) -> None:
    assert hash_form.scheme_of(f"${mark}${rest}") is not None
    assert hash_form.scheme_of(f"{{SSHA}}{rest}") == "SSHA"
