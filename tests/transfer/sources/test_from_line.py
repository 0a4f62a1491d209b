"""From_ lines of many programs: which are some, and which date they have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.transfer.sources import from_line
from mailstore.transfer.sources.from_line import Shape

JULY = datetime(2022, 7, 5, 18, 44, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        "From ann@x.org Tue Jul  5 18:44:15 2022",
        "From ann@x.org Tue Jul 05 18:44:15 2022",
        "From - Tue Jul 05 18:44:15 2022",
        "From  ann@x.org  Tue Jul 5 20:44:15 2022 +0200",
        "From ann@x.org Tue Jul 5 20:44:15 +0200 2022",
        "From ann@x.org Tue Jul  5 18:44:15 UTC 2022",
        "From ann@x.org Tue Jul  5 18:44:15 2022 remote from gate",
        'From "Ann Lee"@x.org Tue Jul  5 18:44:15 2022',
        "From Tue Jul  5 18:44:15 2022",
        "From ann@x.org 2022-07-05T18:44:15Z",
        "From ann@x.org 2022-07-05 20:44:15 +02:00",
        "From - 2022-07-05T18:44:15",
        "From ann@x.org Tue, 5 Jul 2022 20:44:15 +0200",
        "From ann@x.org Tue, 05 Jul 2022 13:44:15 -0500 (CDT)",
        "From - 5 Jul 2022 18:44:15",
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_sender_and_a_date_and_no_more_are_a_from_line_with_that_date(line: str, end: str) -> None:
    data = (line + end).encode()
    assert from_line.shape(data) is Shape.DATED
    assert from_line.date(data) == JULY


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ("From -", Shape.BARE),
        ("From - ", Shape.BARE),
        ("From the garden Tue Jul 05 18:44:15 2022 we saw", Shape.NEAR),
        ("From Ann Lee Tue Jul 05 18:44:15 2022", Shape.NEAR),
        ("From ann@x.org", Shape.NEAR),
        ("From here to there", Shape.TEXT),
        ("From Monday 12:30 on", Shape.TEXT),
        ("From - to +", Shape.TEXT),
        (">From ann@x.org Tue Jul  5 18:44:15 2022", Shape.TEXT),
        ("From: ann@x.org", Shape.TEXT),
    ],
)
def test_other_lines_are_text_or_near_to_a_from_line_and_have_no_date(line: str, shape: Shape) -> None:
    assert from_line.shape(line.encode() + b"\n") is shape
    assert from_line.date(line.encode()) is None


@pytest.mark.parametrize("date", ["Sat Feb 31 01:05:34 1996", "1996-13-01T00:00:00Z", "Mon Jan  1 00:00:00 0001 +1400"])
def test_a_date_that_never_was_is_no_date(date: str) -> None:
    assert from_line.date(f"From a {date}\n".encode()) is None


def test_a_very_long_line_is_text_whatever_it_says() -> None:
    line = b"From ann@x.org Tue Jul  5 18:44:15 2022" + b" " * 60_000
    assert from_line.shape(line) is Shape.TEXT
    assert from_line.date(line) is None


@given(st.binary(max_size=300))
def test_any_line_has_a_shape_and_perhaps_a_date(rest: bytes) -> None:
    line = b"From " + rest
    assert (from_line.date(line) is None) or from_line.shape(line) is Shape.DATED
