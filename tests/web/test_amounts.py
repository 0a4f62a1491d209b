"""Sizes and counts as people read them."""

from __future__ import annotations

import pytest
from django.utils import translation

from popadmin.web.amounts import count, size, size_or_none

KB, MB, GB, TB = (2 ** (10 * power) for power in range(1, 5))


@pytest.mark.parametrize(
    ("octets", "english", "french"),
    [
        (0, "0 bytes", "0 octet"),
        (1, "1 byte", "1 octet"),
        (1023, "1023 bytes", "1023 octets"),
        (KB, "1.0 KB", "1,0 Ko"),
        (MB - 1, "1.0 MB", "1,0 Mo"),
        (int(1.5 * GB), "1.5 GB", "1,5 Go"),
        (GB - 1, "1.0 GB", "1,0 Go"),
        (2500 * TB, "2500.0 TB", "2500,0 To"),
    ],
)
def test_a_size_has_one_decimal_and_the_largest_unit_that_leaves_one(octets, english, french):
    with translation.override("en"):
        assert size(octets).replace("\N{NO-BREAK SPACE}", " ") == english
    with translation.override("fr"):
        assert size(octets).replace("\N{NO-BREAK SPACE}", " ") == french


def test_no_quota_is_said_in_words():
    assert size_or_none(None) == "no limit"
    assert size_or_none(GB) == size(GB)


def test_thousands_are_grouped_as_the_language_does():
    with translation.override("en"):
        assert count(1234567) == "1,234,567"
    with translation.override("fr"):
        assert count(1234567).split() == ["1", "234", "567"]
