"""Invariant: whatever octets come in whatever pieces, a session with an MTA about passwords raises nothing, answers in
whole lines that do not depend on the pieces, quotes nothing, and keeps a bounded buffer."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mailstore.wire.turn_taker import PENDING_OCTETS
from tests.fakes.sasl import Conversation

REPLY = re.compile(rb"(VERSION|MECH|SPID|CUID|COOKIE|DONE|CONT|OK|FAIL)[^\r\n]*\n")
MARK = b"zqxjk"  # in no text of ours
PIECES = (1, 3, 64)
FRAGMENTS = [
    b"VERSION\t1\t0\n",
    b"CPID\t1\n",
    b"AUTH\t1\tPLAIN\tservice=smtp\tresp=AGFubmFAZXhhbXBsZS5vcmcAc2VjcmV0\n",
    b"AUTH\t2\tPLAIN\trip=" + MARK + b"\tresp=AAAA\n",
    b"AUTH\t3\tLOGIN\tservice=smtp\r\n",
    b"CONT\t3\tYW5uYUBleGFtcGxlLm9yZw==\n",
    b"CONT\t3\t" + MARK + b"\n",
    b"CANCEL\t3\n",
    b"AUTH\t99999999999999\tPLAIN\n",
    b"\x01\x01t\t\x010\n",
    b"x" * 5000,
    b"\t",
    b"\n",
]
STREAMS = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=40), max_size=40).map(b"".join)


def answers(stream: bytes, octets: int) -> bytes:
    talk = Conversation()
    for start in range(0, len(stream), octets):
        if talk.peer.closed:
            break
        talk.session.receive(stream[start : start + octets])
        assert len(talk.session._turns.lines) <= PENDING_OCTETS
    assert talk.peer.failures == []
    return bytes(talk.peer.sent)


@given(stream=STREAMS)
def test_any_octets_get_whole_answers_that_quote_nothing(stream: bytes) -> None:
    whole = answers(stream, len(stream) or 1)
    assert REPLY.sub(b"", whole) == b""
    assert MARK not in whole
    for octets in PIECES:
        assert answers(stream, octets) == whole
