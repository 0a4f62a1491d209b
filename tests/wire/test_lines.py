"""Lines out of octets: their ends, their limit, and that the cuts of the network do not matter."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.wire.lines import NEED_MORE, OVERLONG, LineBuffer

LIMIT = 12


def lines_of(*pieces: bytes, limit: int = LIMIT) -> list[object]:
    buffer = LineBuffer(limit)
    found: list[object] = []
    for piece in pieces:
        buffer.feed(piece)
        while (line := buffer.next_line()) is not NEED_MORE:
            found.append(line)
    return found


@pytest.mark.req("P-016")
@pytest.mark.req("P-017")
@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"STAT\r\n", [b"STAT"]),
        (b"STAT\n", [b"STAT"]),
        (b"STAT\r", []),
        (b"A\rB\r\n", [b"A\rB"]),
        (b"A\r\r\n", [b"A\r"]),
        (b"\r\n\n", [b"", b""]),
        (b"A\r\nB\nC", [b"A", b"B"]),
    ],
)
def test_crlf_and_lf_end_a_line_and_cr_alone_does_not(data: bytes, lines: list[bytes]) -> None:
    assert lines_of(data) == lines


@pytest.mark.req("P-007")
def test_the_limit_counts_the_end_of_the_line() -> None:
    assert lines_of(b"x" * 10 + b"\r\n") == [b"x" * 10]
    assert lines_of(b"x" * 11 + b"\r\n") == [OVERLONG]
    assert lines_of(b"x" * 11 + b"\n") == [b"x" * 11]


@pytest.mark.req("P-007")
def test_an_overlong_line_is_reported_once_and_what_follows_it_is_read() -> None:
    assert lines_of(b"x" * 100 + b"QUIT\r\nSTAT\r\n") == [OVERLONG, b"STAT"]
    assert lines_of(*[b"x" * 7] * 40, b"QUIT\r", b"\nSTAT\r\n") == [OVERLONG, b"STAT"]


@pytest.mark.req("P-007")
def test_an_overlong_line_without_an_end_keeps_no_memory() -> None:
    buffer = LineBuffer(LIMIT)
    for _ in range(1000):
        buffer.feed(b"x" * 1000)
        buffer.next_line()
        assert len(buffer) <= LIMIT


def test_the_limit_may_change_between_two_lines() -> None:
    buffer = LineBuffer(LIMIT)
    buffer.feed(b"AUTH\r\n" + b"x" * 30 + b"\r\n" + b"y" * 30 + b"\r\n")
    assert buffer.next_line() == b"AUTH"
    buffer.limit_octets = 40
    assert buffer.next_line() == b"x" * 30
    buffer.limit_octets = LIMIT
    assert buffer.next_line() is OVERLONG
    assert buffer.next_line() is NEED_MORE


@pytest.mark.req("P-127")
def test_what_is_left_over_is_counted_taken_and_forgotten() -> None:
    buffer = LineBuffer(LIMIT)
    buffer.feed(b"STLS\r\nUS")
    assert buffer.next_line() == b"STLS"
    assert len(buffer) == 2
    assert buffer.starts_with(b"US")
    assert buffer.take() == b"US"
    assert len(buffer) == 0
    buffer.feed(b"x" * 20)
    assert buffer.next_line() is OVERLONG
    buffer.clear()
    buffer.feed(b"STAT\n")
    assert buffer.next_line() == b"STAT"


octets_with_ends = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"STAT", b"x" * 9, b"y" * 30])).map(b"".join)


@pytest.mark.req("P-024")
@given(octets_with_ends, st.data())
def test_lines_do_not_depend_on_how_the_octets_were_cut(data: bytes, choices: st.DataObject) -> None:
    cuts = sorted(choices.draw(st.lists(st.integers(0, len(data)))))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    whole = [line[:-1] for line in re.findall(rb"[^\n]*\n", data)]
    expected = [OVERLONG if len(line) + 1 > LIMIT else line.removesuffix(b"\r") for line in whole]
    unfinished = data[data.rfind(b"\n") + 1 :]
    expected += [OVERLONG] if len(unfinished) >= LIMIT else []
    assert lines_of(data) == lines_of(*pieces) == expected


@pytest.mark.req("P-024")
@given(octets_with_ends, octets_with_ends)
def test_a_line_that_comes_alone_is_what_it_is_among_others(waits: bytes, data: bytes) -> None:
    """`only_line` gives what feeding would give at once, or nothing and keeps nothing."""
    buffer = LineBuffer(LIMIT)
    buffer.feed(waits)
    while buffer.next_line() is not NEED_MORE:
        pass
    expected = lines_of(waits, data)[len(lines_of(waits)) :]
    line = buffer.only_line(data)
    if line is None:
        buffer.feed(data)
        assert [*iter(buffer.next_line, NEED_MORE)] == expected
    else:
        assert [line] == expected
        assert buffer.next_line() is NEED_MORE


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"STAT\r\n", b"STAT"),
        (b"STAT\n", b"STAT"),
        (b"\n", b""),
        (b"A\rB\n", b"A\rB"),
        (b"", None),
        (b"STAT", None),
        (b"A\nB\n", None),
    ],
)
def test_only_one_whole_line_is_taken_as_it_comes(data: bytes, line: bytes | None) -> None:
    assert LineBuffer(LIMIT).only_line(data) == line
