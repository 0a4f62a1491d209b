"""Names and passwords in the octets of any mail program."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.policy import credential_text


@pytest.mark.parametrize("data", [b"Caf\xe92026!xk", b"Caf\xc3\xa92026!xk", b"Cafe\xcc\x812026!xk"])
def test_one_password_is_one_text_in_whatever_octets_it_comes(data: bytes) -> None:
    assert credential_text.read(data) == "Café2026!xk"


def test_octets_that_are_no_utf8_are_windows_1252() -> None:
    assert credential_text.read(b"\x80uro \x93\xfc\x94") == "€uro “ü”"
    assert credential_text.read(b"\x81\x8d\x8f\x90\x9d\xff") == "\x81\x8d\x8f\x90\x9dÿ"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_utf8_is_read_as_it_is_in_nfc(text: str) -> None:
    assert credential_text.read(text.encode()) == unicodedata.normalize("NFC", text)


@given(st.binary())
def test_every_octet_string_is_some_text(data: bytes) -> None:
    text = credential_text.read(data)
    assert text.encode().decode() == text
    assert unicodedata.is_normalized("NFC", text)
