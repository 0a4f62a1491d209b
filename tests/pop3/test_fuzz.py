"""Noise at a session.

The invariant: whatever octets arrive, in whatever pieces, the session raises nothing, asks the accounts only with
text that has no control characters, sends only whole lines that begin with a status where one is due, never more
replies than lines, and removes a message only if the octets held DELE and a whole QUIT line.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.pop3 import Conversation
from tests.pop3.transcript_setup import MESSAGES

WORDS = [
    b"USER ",
    b"PASS ",
    b"AUTH ",
    b"PLAIN",
    b"LOGIN ",
    b"CAPA",
    b"STAT",
    b"LIST",
    b"UIDL ",
    b"RETR ",
    b"TOP ",
    b"DELE ",
]
WORDS += [b"QUIT", b"RSET", b"NOOP", b"UTF8", b"STLS", b"1", b" 0", b" 99999999999999999999", b"-", b"=", b"*", b"!!!!"]
WORDS += [b"\r\n"] * 12 + [
    b"\n",
    b"\r",
    b"\0",
    b"\x16\x03",
    b"\xff",
    b"\xc3\xa9",
    b"anna@example.org",
    b"secret",
    b"x" * 700,
]
SIGN_IN = b"USER anna@example.org\r\nPASS secret\r\n"

noise = st.lists(st.sampled_from(WORDS) | st.binary(max_size=8), max_size=60).map(b"".join)


@pytest.mark.req("P-022")
@pytest.mark.req("P-024")
@given(noise, st.booleans(), st.integers(1, 50))
def test_noise_gets_whole_lines_and_nothing_else(data: bytes, signed_in: bool, piece: int) -> None:
    sent = SIGN_IN * signed_in + data
    whole, cut = Conversation(*MESSAGES), Conversation(*MESSAGES)
    whole.session.receive(sent)
    for start in range(0, len(sent), piece):
        cut.session.receive(sent[start : start + piece])
    for talk in (whole, cut):
        talk.session.half_closed()
        assert talk.peer.closed
        replies = bytes(talk.peer.sent)
        assert re.fullmatch(rb"(?:[^\r\n]*\r\n)+", replies)
        assert re.fullmatch(rb"(?:\+OK|-ERR|\+ ).*", replies, re.DOTALL)
        assert len(re.findall(rb"(?m)^(?:\+OK|-ERR|\+ )", replies)) <= 2 + sent.count(b"\n") + len(sent) // 12000
        assert not any(re.search(r"[\0-\x1f\x7f]", asked.address + asked.secret) for asked in talk.accounts.asked)
        assert not talk.maildrop.removed or re.search(rb"(?i)DELE +[0-9].*\nQUIT *\r?\n", sent, re.DOTALL)
        assert all(body.closed == 1 for body in talk.maildrop.opened)
    assert whole.peer.sent == cut.peer.sent
