"""Invariant: whatever octets come in whatever pieces, a session of the policy service raises nothing, answers in
whole lines that do not depend on the pieces, quotes nothing, and keeps a bounded buffer."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mailstore.wire.turn_taker import PENDING_OCTETS
from tests.fakes.policyd import Conversation

REPLY = re.compile(rb"action=[\x20-\x7e]+\n\n")
MARK = b"zqxjk"  # in no text of ours
PIECES = (1, 3, 64)
FRAGMENTS = [
    b"request=smtpd_access_policy\n",
    b"protocol_state=RCPT\n",
    b"protocol_state=END-OF-MESSAGE\n",
    b"recipient=" + MARK + b"\n",
    b"recipient=ann@example.org\r\n",
    b"size=99999999999999999999\n",
    b"sasl_username=ann@example.org\n",
    b"=\n",
    b"word",
    b"\xff\xfe=\0\n",
    b"x" * 5000,
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
