"""The normalizer: what a sender may give, and the wire form that is stored, against references slow and plain."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailstore.wire.body_normalizer import DataNormalizer, RawNormalizer
from mailstore.wire.stuffing import Unstuffer

ODD = st.lists(
    st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"a", b"\r\n.", b"\n.", b"\r.", b"\x00", b"\xff"]), max_size=30
).map(b"".join)


def canonical_message(content: bytes) -> bytes:
    lines = re.split(rb"\r\n|\r|\n", content)
    if not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def wire_form(message: bytes) -> bytes:
    return b"".join((b"." + line if line.startswith(b".") else line) for line in message.splitlines(keepends=True))


def message_of_data(stuffed: bytes) -> tuple[bytes, bytes] | None:
    """RFC 5321 §4.1.1.4 and §4.5.2 as they read: SMTP lines, one dot off, the line of one dot ends. None: no end."""
    content, rest = [], stuffed
    while b"\r\n" in rest:
        line, rest = rest.split(b"\r\n", 1)
        if line == b".":
            return canonical_message(b"".join(content)), rest
        content.append(line.removeprefix(b".") + b"\r\n")
    return None


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places)]


def through_data(chunks: list[bytes]) -> tuple[bytes, int, bytes | None]:
    normalizer, out = DataNormalizer(), []
    for index, chunk in enumerate(chunks):
        wire, rest = normalizer.feed(chunk)
        out.append(wire)
        if rest is not None:
            return b"".join(out), normalizer.octets, rest + b"".join(chunks[index + 1 :])
    return b"".join(out), normalizer.octets, None


def through_raw(chunks: list[bytes]) -> tuple[bytes, int]:
    normalizer = RawNormalizer()
    wire = b"".join([normalizer.feed(chunk) for chunk in chunks] + [normalizer.finish()])
    return wire, normalizer.octets


def unstuffed(chunks: list[bytes]) -> bytes:
    back = Unstuffer()
    return b"".join([back.feed(chunk) for chunk in chunks] + [back.finish()])


@pytest.mark.req("P-013")
@given(ODD, st.lists(st.integers(0, 200), max_size=8))
@example(b".", [1])
@example(b"\r\n.\r\n.\r\n", [1, 2, 3, 4, 5, 6, 7])
def test_data_is_the_message_the_standard_says_however_it_is_cut(content: bytes, cuts: list[int]) -> None:
    stream = content + b"\r\n.\r\nNOOP\r\n"
    expected = message_of_data(stream)
    assert expected is not None
    message, rest = expected
    assert through_data(pieces(stream, cuts)) == (wire_form(message), len(message), rest)


@given(ODD)
def test_data_without_an_end_goes_on(content: bytes) -> None:
    if message_of_data(content) is None:
        assert through_data([content])[2] is None


@pytest.mark.req("P-055")
@pytest.mark.req("P-056")
@given(ODD, st.lists(st.integers(0, 200), max_size=8))
def test_raw_content_is_made_canonical_however_it_is_cut(content: bytes, cuts: list[int]) -> None:
    message = canonical_message(content)
    assert through_raw(pieces(content, cuts)) == (wire_form(message), len(message))


@pytest.mark.req("P-013")
@given(ODD, st.lists(st.integers(0, 200), max_size=8))
def test_unstuffing_gives_back_what_came_in(content: bytes, cuts: list[int]) -> None:
    wire, octets = through_raw([content])
    message = unstuffed(pieces(wire, cuts))
    assert message == canonical_message(content)
    assert octets == len(message)


@pytest.mark.req("P-004")
@given(ODD)
def test_no_bare_line_end_is_ever_stored(content: bytes) -> None:
    for wire in (through_raw([content])[0], through_data([content + b"\r\n.\r\n"])[0]):
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", wire)


@pytest.mark.parametrize(
    "end",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r\n.\r",
        b"\r.\r",
        b"\r.\r\n",
        b"\r\n.\r\r\n",
        b"\n\n.\r\n",
        b"\r\n\x00.\r\n",
        b"\n.\r",
    ],
)
def test_nothing_but_crlf_dot_crlf_ends_a_message(end: bytes) -> None:
    smuggled = b"one" + end + b"MAIL FROM:<evil@example.org>\r\n"
    wire, _octets, rest = through_data([smuggled + b".\r\nQUIT\r\n"])
    assert b"MAIL FROM:<evil@example.org>\r\n" in wire
    assert rest == b"QUIT\r\n"


@pytest.mark.parametrize("stream", [b".\r\n", b"\r\n.\r\n", b"..\r\n.\r\n", b"..a\r\n.\r\n", b".a\r\n.\r\n"])
def test_the_first_line_of_a_message_is_a_line_like_any_other(stream: bytes) -> None:
    message, _ = message_of_data(stream) or (b"", b"")
    assert through_data([stream]) == (wire_form(message), len(message), b"")
    assert through_data([stream[i : i + 1] for i in range(len(stream))]) == (wire_form(message), len(message), b"")


@pytest.mark.parametrize("border", [4095, 4096, 4097, 8191, 8192, 8193, 65535, 65536, 65537])
def test_a_dot_at_the_border_of_a_chunk_is_stuffed(border: int) -> None:
    content = b"x" * (border - 2) + b"\r\n.tail\r\n"
    assert through_raw([content[:border], content[border:]])[0] == wire_form(content)
    assert through_raw([content[: border - 1], content[border - 1 :]])[0] == wire_form(content)


def test_a_dot_behind_a_bare_line_feed_is_content_and_is_stuffed() -> None:
    assert through_data([b"a\n.b\r\n.\r\n"]) == (b"a\r\n..b\r\n", len(b"a\r\n.b\r\n"), b"")


def test_a_chunk_in_wire_form_is_not_copied() -> None:
    chunk = b"Subject: x\r\n\r\nbody\r\n..dot\r\nmid-line"
    normalizer = DataNormalizer()
    normalizer.feed(b"begin ")
    assert normalizer.feed(chunk)[0] is chunk


def test_a_message_of_nothing_is_nothing() -> None:
    assert through_raw([]) == (b"", 0)
    assert through_raw([b"", b""]) == (b"", 0)
    assert unstuffed([]) == b""


def test_no_more_than_a_few_octets_are_kept_back() -> None:
    normalizer, given_out = DataNormalizer(), 0
    for _ in range(1000):
        wire, _rest = normalizer.feed(b"\r\n.\r" * 64)
        given_out += len(wire)
    assert given_out >= 1000 * 64 * 4 - 8
