"""Sizes as people write them; the arithmetic of what fits is SQL, and its tests stand with the deliveries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.policy.quota import (
    MAX_OCTETS,
    BadSize,
    Reading,
    SizeFlaw,
    confirmed_octets,
    format_octets,
    parse_octets,
)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("0B", 0),
        ("0 octets", 0),
        ("1048576", 2**20),
        ("52428800", 50 * 2**20),
        ("1000B", 1000),
        ("1024 b", 1024),
        ("1 octet", 1),
        ("512 bytes", 512),
        ("3 Go", 3 * 2**30),
        ("1k", 1024),
        ("1KB", 1024),
        ("500 MB", 500 * 2**20),
        ("1.5gb", 3 * 2**29),
        ("2TB", 2**41),
        (" 2GB ", 2**31),
        ("none", None),
        ("NONE", None),
        ("unlimited", None),
        ("Aucune", None),
        ("illimité", None),
        ("illimite\u0301e", None),
        ("sans limite", None),
        ("2GiB", 2**31),
        ("2 gib", 2**31),
        ("1Mi", 2**20),
        ("3 Gio", 3 * 2**30),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str, octets: int | None) -> None:
    assert parse_octets(text) == octets


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+1",
        "-2GB",
        "1e9",
        "0x10",
        "GB",
        "2PB",
        "2 GB 3",
        "1,5GB",
        "٣",
        "9" * 100,
        "1.5",
        "0.5B",
        "nan",
        "inf",
    ],
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(BadSize) as refusal:
        parse_octets(text)
    assert refusal.value.flaw == SizeFlaw.NO_SIZE


def test_a_size_above_the_largest_is_refused() -> None:
    with pytest.raises(BadSize) as refusal:
        parse_octets("9999999TB")
    assert refusal.value.flaw == SizeFlaw.TOO_LARGE


@pytest.mark.parametrize("text", ["1024", "500", "1", " 2048 ", "1048575"])
def test_a_small_number_without_a_unit_is_refused_as_it_may_be_octets_or_megabytes(text: str) -> None:
    with pytest.raises(BadSize) as refusal:
        parse_octets(text)
    assert refusal.value.flaw == SizeFlaw.NO_UNIT


@pytest.mark.parametrize("text", ["0", "00", "0MB", "0GB", "0.0GB", "0 k", "-1", "-1MB"])
def test_a_zero_is_refused_as_it_may_be_no_mail_or_no_limit(text: str) -> None:
    with pytest.raises(BadSize) as refusal:
        parse_octets(text)
    assert refusal.value.flaw == SizeFlaw.ZERO


@given(st.none() | st.integers(min_value=0, max_value=MAX_OCTETS))
def test_what_is_written_is_read_back_exactly(octets: int | None) -> None:
    assert parse_octets(format_octets(octets)) == octets


def test_a_size_below_a_megabyte_is_confirmed_whatever_its_unit() -> None:
    for text in ("10B", "7KB", "0B", "0.9MB", "1048575"):
        with pytest.raises(BadSize, match=r"below 1 MB|without a unit"):
            confirmed_octets(text, small=False)
    assert [confirmed_octets(text, small=True) for text in ("10B", "7KB", "0B")] == [10, 7168, 0]
    assert [confirmed_octets(text, small=False) for text in ("1MB", "none")] == [2**20, None]


def test_what_0_means_for_a_column_is_its_confirmation_and_no_other() -> None:
    assert Reading("B", "0B").octets("0") == 0
    for cell in ("1024", "10B"):
        with pytest.raises(BadSize, match="below 1 MB"):
            Reading("B", "0B").octets(cell)
        assert Reading("B", "0B", small=True).octets(cell) in (1024, 10)


@given(st.integers(min_value=0, max_value=2**20 - 1))
def test_no_number_below_a_megabyte_is_read_without_a_unit(number: int) -> None:
    with pytest.raises(BadSize):
        parse_octets(str(number))
    assert parse_octets(f"{number}B") == number


@pytest.mark.parametrize(
    ("reading", "cell", "octets"),
    [
        (Reading("MB"), "1024", 2**30),
        (Reading("B"), "1024", 1024),
        (Reading("MB"), "2097152", 2**41),
        (Reading("MB"), "2GB", 2**31),
        (Reading("MB", "none"), "0", None),
        (Reading("MB", "0B"), "0", 0),
        (Reading("B", "none"), "-1", None),
        (Reading(), "2097152", 2**21),
    ],
)
def test_one_answer_for_a_column_gives_all_its_numbers_a_unit(reading: Reading, cell: str, octets: int | None) -> None:
    assert parse_octets(reading.text(cell)) == octets


@pytest.mark.parametrize("cell", ["1024", "0", "-1"])
def test_a_column_without_an_answer_asks_for_each_number(cell: str) -> None:
    with pytest.raises(BadSize):
        parse_octets(Reading().text(cell))
