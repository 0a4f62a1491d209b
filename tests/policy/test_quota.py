"""Sizes as people write them; the arithmetic of what fits is SQL, and its tests stand with the deliveries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.policy.quota import MAX_OCTETS, BadSize, format_octets, parse_octets


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("0", 0),
        ("1000", 1000),
        ("1000B", 1000),
        ("1k", 1024),
        ("1KB", 1024),
        ("500 MB", 500 * 2**20),
        ("1.5gb", 3 * 2**29),
        ("2TB", 2**41),
        (" 2GB ", 2**31),
        ("0.5", 0),
        ("none", None),
        ("NONE", None),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str, octets: int | None) -> None:
    assert parse_octets(text) == octets


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "-2GB", "1e9", "0x10", "GB", "2PB", "2 GB 3", "1,5GB", "٣", "9" * 100, "9999999TB", "nan", "inf"],
)
def test_what_is_no_size_is_refused_and_the_text_says_what_is(text: str) -> None:
    with pytest.raises(BadSize, match=r"write 2GB|above the largest"):
        parse_octets(text)


@given(st.none() | st.integers(min_value=0, max_value=MAX_OCTETS))
def test_what_is_written_is_read_back_exactly(octets: int | None) -> None:
    assert parse_octets(format_octets(octets)) == octets
