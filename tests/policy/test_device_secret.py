"""Device secrets: what is shown can be typed back in any dress, and nothing else passes for one."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.policy import device_secret

RANDOM = st.binary(min_size=device_secret.SECRET_OCTETS, max_size=device_secret.SECRET_OCTETS)


@given(RANDOM)
def test_what_is_shown_reads_back_as_the_same_secret(random: bytes) -> None:
    secret = device_secret.secret_of(random)
    assert device_secret.split(device_secret.shown(secret)) == (secret[:8], secret)


@given(RANDOM)
def test_a_secret_is_typed_in_any_case_with_any_grouping(random: bytes) -> None:
    secret = device_secret.secret_of(random)
    assert device_secret.split(" " + device_secret.shown(secret).upper().replace("-", " ") + "\t") == (
        secret[:8],
        secret,
    )


def test_a_secret_shows_as_four_groups_of_eight() -> None:
    assert device_secret.shown(device_secret.secret_of(bytes(20))) == "aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "a" * 31,
        "a" * 33,
        "a" * 31 + "1",
        "a" * 31 + "0",
        "a" * 31 + "ß",
        "a" * 31 + "\N{KELVIN SIGN}",
    ],
)
def test_other_words_are_no_secret(text: str) -> None:
    assert device_secret.split(text) is None


def test_a_secret_of_too_little_entropy_is_never_made() -> None:
    with pytest.raises(ValueError, match="20 octets"):
        device_secret.secret_of(b"short")


def test_the_row_keeps_the_sha_256_of_the_canonical_form() -> None:
    _, canonical = device_secret.split("AAAAAAAA-AAAAAAAA-AAAAAAAA-AAAAAAAA") or ("", "")
    assert device_secret.digest(canonical) == hashlib.sha256(b"a" * 32).digest()
