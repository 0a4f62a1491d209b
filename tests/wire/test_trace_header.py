"""A message that comes back is known by its header: the same Delivered-To, or too many passes through a server."""

from __future__ import annotations

import pytest

from mailstore.wire.trace_header import HEADER_OCTETS, RECEIVED_MOST, SAME_SERVER_MOST, Trace, TraceReader

ANN = "ann@example.org"


def trace(wire: bytes, *, piece: int = 1 << 20) -> Trace:
    reader = TraceReader()
    for at in range(0, len(wire), piece):
        reader.feed(wire[at : at + piece])
    return reader.trace()


def received(server: str) -> bytes:
    return (
        f"Received: from a.example (a.example [192.0.2.1])\r\n\tby {server} (Postfix) with ESMTP;\r\n\tnow\r\n".encode()
    )


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_a_message_that_was_delivered_to_an_address_loops_to_it_in_any_case_and_to_no_other(piece: int) -> None:
    found = trace(b"Subject: a\r\nDELIVERED-TO:  Ann@Example.org\r\n\r\nDelivered-To: bob@example.org\r\n", piece=piece)
    assert found.delivered_to == {ANN}
    assert (found.loops_to("ANN@example.org"), found.loops_to("bob@example.org")) == (True, False)


def test_passes_through_one_server_count_and_those_through_different_ones_do_not() -> None:
    filters = received("mx.example") * 3 + received("localhost") * 3
    assert not trace(filters + b"\r\n").loops_to(ANN)
    assert not trace(received("mx.example") * SAME_SERVER_MOST + b"\r\n").loops_to(ANN)
    assert trace(received("MX.example") + received("mx.example") * SAME_SERVER_MOST + b"\r\n").loops_to(ANN)
    ways = [b"".join(received(f"mx{number}.example") for number in range(count)) for count in (100, 101)]
    assert [trace(way + b"\r\n").loops_to(ANN) for way in ways] == [False, True]
    assert RECEIVED_MOST == 100


@pytest.mark.parametrize(
    "wire", [b"", b"\r\n", b"\r\nDelivered-To: ann@example.org\r\n", b"Received:\r\n", b"\xff\xfe:\r\n"]
)
def test_what_has_no_header_or_an_odd_one_does_not_loop(wire: bytes) -> None:
    assert not trace(wire).loops_to(ANN)


def test_a_header_without_an_end_costs_no_more_than_its_limit() -> None:
    reader = TraceReader()
    for _piece in range(100):
        reader.feed(b"x" * 10_000)
    assert len(reader._header) == HEADER_OCTETS
