"""Where TOP ends, against a slow slicer that reads everything, and how little is read for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.errors import BodyLost
from mailstore.wire import top_range
from mailstore.wire.top_range import CHUNK_OCTETS, TURN_OCTETS
from tests.fakes.pop3 import MemoryBody


def top(prefix: bytes, body: MemoryBody, lines: int) -> tuple[bytes, int]:
    """All turns of the search."""
    *turns, found = top_range.top(prefix, body, lines)
    assert found is not None
    assert turns == [None] * len(turns)
    return found


def sent(prefix: bytes, wire: bytes, lines: int) -> bytes:
    part, count = top(prefix, MemoryBody(wire), lines)
    assert count == 0 or part == prefix
    return part + wire[:count]


def by_lines(prefix: bytes, wire: bytes, lines: int) -> bytes:
    """The obvious way: line by line, in memory."""
    kept: list[bytes] = []
    left: int | None = None
    for line in (prefix + wire).splitlines(keepends=True):
        if left == 0:
            break
        kept.append(line)
        left = left - 1 if left is not None else (lines if line == b"\r\n" else None)
    return b"".join(kept)


text = st.lists(st.sampled_from([b"", b"a", b"..", b"Subject: x", b"y" * 40])).map(
    lambda rows: b"".join(row + b"\r\n" for row in rows)
)


@pytest.mark.req("P-074")
@pytest.mark.req("P-075")
@pytest.mark.req("P-076")
@pytest.mark.req("P-077")
@given(text, text, st.integers(0, 12))
def test_top_ends_where_the_slow_slicer_ends(prefix: bytes, wire: bytes, lines: int) -> None:
    assert sent(prefix, wire, lines) == by_lines(prefix, wire, lines)


@pytest.mark.req("P-074")
@pytest.mark.parametrize("offset", range(-6, 3))
@pytest.mark.parametrize("lines", [0, 1, 2])
def test_a_blank_line_across_two_reads_is_found(offset: int, lines: int) -> None:
    header = b"X: " + b"x" * (CHUNK_OCTETS + offset - 3) + b"\r\n"
    wire = header + b"\r\none\r\ntwo\r\nthree\r\n"
    for prefix in (b"", b"Return-Path: <>\r\n"):
        assert sent(prefix, wire, lines) == by_lines(prefix, wire, lines)


@pytest.mark.req("P-074")
def test_lines_across_many_reads_are_counted_right() -> None:
    wire = b"Subject: x\r\n\r\n" + b"".join(b"line %d\r\n" % number for number in range(30000))
    for lines in (1, 9000, 9001, 20000, 29999, 30000, 30001):
        assert sent(b"", wire, lines) == by_lines(b"", wire, lines)


@pytest.mark.req("P-076")
@pytest.mark.parametrize("lines", [99999999, 2147483647, 4294967295, 99999999999, 10**19])
def test_a_count_that_must_be_all_reads_nothing(lines: int) -> None:
    body = MemoryBody(b"Subject: x\r\n\r\n" + b"line\r\n" * 100000)
    assert top(b"", body, lines) == (b"", body.wire_octets)
    assert body.reads == []


@pytest.mark.req("P-078")
def test_the_header_alone_reads_one_piece_of_the_body() -> None:
    body = MemoryBody(b"Subject: x\r\n\r\n" + b"line\r\n" * 100000)
    assert top(b"Return-Path: <>\r\n", body, 0) == (b"Return-Path: <>\r\n", 14)
    assert body.reads == [(0, CHUNK_OCTETS)]


@pytest.mark.req("P-078")
def test_a_message_that_ends_in_its_prefix_reads_nothing() -> None:
    body = MemoryBody(b"line\r\n" * 10)
    assert top(b"Subject: x\r\n\r\n", body, 0) == (b"Subject: x\r\n\r\n", 0)
    assert top(b"Subject: x\r\n\r\none\r\ntwo\r\n", body, 1) == (b"Subject: x\r\n\r\none\r\n", 0)
    assert body.reads == []


@pytest.mark.req("P-062")
def test_a_body_that_cannot_be_read_raises() -> None:
    with pytest.raises(BodyLost):
        top(b"", MemoryBody(b"Subject: x\r\n\r\nline\r\n", error=BodyLost("short")), 0)


@pytest.mark.req("P-078")
def test_a_long_search_reads_a_bounded_part_of_the_body_at_a_time() -> None:
    body = MemoryBody(b"Subject: x\r\n\r\n" + b"a long line of text\r\n" * 200_000)
    search, read = top_range.top(b"Return-Path: <>\r\n", body, 150_000), 0
    turns = 0
    for _ in search:
        assert sum(count for _, count in body.reads[read:]) <= TURN_OCTETS + CHUNK_OCTETS
        read, turns = len(body.reads), turns + 1
    assert turns == 4
