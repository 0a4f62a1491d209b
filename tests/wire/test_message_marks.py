"""What the header of a message says of its way here, as Postfix and Exim write it, and as anybody may forge it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.ports import MessageMarks
from mailstore.wire.message_marks import HEAD_OCTETS, marks

POSTFIX = (
    b"Received: from mx2.example.net (mx2.example.net [203.0.113.7])\r\n"
    b"\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
    b"\tby mail.example.org (Postfix) with ESMTPS id 4XyzA1B2c3zK9q\r\n"
    b"\tfor <ann@example.org>; Mon, 30 Nov 2026 09:12:00 +0100 (CET)\r\n"
)
PICKED_UP = (
    b"Received: by mail.example.org (Postfix, from userid 0)\r\n\tid 3F2A91C0F; Mon, 30 Nov 2026 09:12:00 +0100\r\n"
)
EXIM = (
    b"Return-path: <s@example.net>\r\nEnvelope-to: ann@example.org\r\n"
    b"Received: from [2001:db8::7] (helo=mx2.example.net)\r\n"
    b"\tby mail.example.org with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384\r\n"
    b"\t(Exim 4.96)\r\n\t(envelope-from <s@example.net>)\r\n\tid 1rXyzA-0001Ab-2C\r\n"
    b"\tfor ann@example.org;\r\n\tMon, 30 Nov 2026 09:12:00 +0100\r\n"
)
REST = (
    b"Received: from evil.example by other.example id FORGED1; x\r\n"
    b"message-ID:\r\n <a.b@example.net>\r\n\r\nMessage-ID: <body>\r\n"
)


@pytest.mark.parametrize(
    ("topmost", "mta_id", "origin"),
    [
        (POSTFIX, "4XyzA1B2c3zK9q", "mx2.example.net, 203.0.113.7"),
        (PICKED_UP, "3F2A91C0F", ""),
        (EXIM, "1rXyzA-0001Ab-2C", "2001:db8::7"),
    ],
)
def test_the_topmost_received_names_queue_id_and_sending_server(topmost: bytes, mta_id: str, origin: str) -> None:
    assert marks(topmost + REST) == MessageMarks("a.b@example.net", mta_id, origin)


def test_a_message_without_header_has_no_marks() -> None:
    for head in (b"", b"\r\nMessage-ID: <body>\r\n", b"text\r\n\r\nMessage-ID: <body>\r\n"):
        assert marks(head) == MessageMarks()


def test_what_stands_behind_the_head_is_not_read() -> None:
    assert marks(b"X: " + b"x" * HEAD_OCTETS + b"\r\nMessage-ID: <late@example.net>\r\n") == MessageMarks()


@given(st.binary(max_size=400), st.sampled_from([b"Received: ", b"Message-ID: ", b""]))
def test_any_octets_give_short_printable_marks(data: bytes, field: bytes) -> None:
    found = marks(field + data)
    for text in (found.message_id, found.mta_id, found.origin):
        assert len(text) <= 700
        assert text.isprintable()
