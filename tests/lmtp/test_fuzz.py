"""Invariant: whatever octets come in whatever pieces, an LMTP session raises nothing, answers in whole lines that do
not depend on the pieces, quotes nothing, keeps a bounded buffer, and commits only what its sender ended."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from mailstore.errors import QuotaDeferred, RecipientDisabled
from mailstore.wire.turn_taker import PENDING_OCTETS
from tests.fakes.lmtp import Conversation, FakeDelivery

REPLY = re.compile(rb"[2-5]\d\d[ -][\x20-\x7e]*\r\n")
MARK = b"zqxjk"  # in no text of ours
PIECES = (1, 2, 3, 7, 64, 1460)

FRAGMENTS = [
    b"LHLO client.example\r\n",
    b"lhlo x\n",
    b"EHLO x\r\n",
    b"XFORWARD NAME=" + MARK + b" IDENT=+41\r\n",
    b"xforward addr=+0\r\n",
    b"MAIL FROM:<s@example.net>\r\n",
    b"MAIL FROM:<> SIZE=20 BODY=8BITMIME SMTPUTF8\r\n",
    b"MAIL FROM:<" + MARK + b"\r\n",
    b"RCPT TO:<ann@example.org>\r\n",
    b"RCPT TO:<full@example.org>\r\n",
    b"RCPT TO:<off@example.org>\r\n",
    b"RCPT TO:<" + MARK + b"@example.org>\r\n",
    b"DATA\r\n",
    b"Subject: x\r\n\r\n..dots\r\n",
    b"\r\n.\r\n",
    b".\r\n",
    b"\n.\n",
    b"\r.\r",
    b"BDAT 3\r\nabc",
    b"BDAT 0 LAST\r\n",
    b"BDAT 5 LAST\r\nhello",
    b"BDAT 99999999999999999999999\r\n",
    b"RSET\r\n",
    b"NOOP " + MARK + b"\r\n",
    b"VRFY x\r\n",
    b"QUIT\r\n",
    b"\0\xff\xfe\r\n",
    b"x" * 3000,
    b"\r",
    b"\n",
]
STREAMS = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=40), max_size=40).map(b"".join)
# Deep in a transaction, where chance alone would rarely come.
OPENED = st.lists(st.sampled_from(FRAGMENTS[8:]), max_size=20).map(
    lambda parts: b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\n" + b"".join(parts)
)


def conversation() -> Conversation:
    delivery = FakeDelivery()
    delivery.add("ann@example.org", "full@example.org")
    delivery.outcomes["full@example.org"] = QuotaDeferred("full")
    delivery.refuse("off@example.org", RecipientDisabled("off"))
    return Conversation(delivery=delivery)


def replies(stream: bytes, piece: int) -> tuple[bytes, list[tuple[bytes, object]]]:
    """Feed the stream in pieces; return what was answered, and what was committed."""
    talk = conversation()
    for start in range(0, len(stream), piece):
        if not talk.peer.closed:
            talk.send(stream[start : start + piece])
            assert len(talk.session._turns.lines) <= PENDING_OCTETS
    talk.session.half_closed()
    talk.session.ended("lost", len(stream), len(talk.peer.sent))
    for intake in talk.delivery.intakes:
        assert intake.aborted or intake.committed is not None, "a message nobody ended or gave up"
    kept = [(intake.wire, intake.committed) for intake in talk.delivery.intakes if intake.committed is not None]
    return bytes(talk.peer.sent), kept


@settings(max_examples=150, deadline=None)
@given(STREAMS | OPENED, st.sampled_from(PIECES))
def test_octets_of_any_kind_in_any_pieces(stream: bytes, piece: int) -> None:
    sent, kept = replies(stream, len(stream) or 1)
    assert REPLY.sub(b"", sent) == b""
    assert MARK not in sent
    for wire, _ in kept:
        assert not wire or wire.endswith(b"\r\n")
        assert wire.replace(b"\r\n", b"").count(b"\r") == wire.replace(b"\r\n", b"").count(b"\n") == 0
    assert replies(stream, piece) == (sent, kept)
