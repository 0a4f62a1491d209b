"""The conversations of Postfix' policy delegation, written from its README: whole, and cut into pieces."""

from __future__ import annotations

import pytest

from mailstore.errors import (
    QuotaDeferred,
    QuotaRejected,
    RecipientDisabled,
    SendingLimitReached,
    SendingOff,
    UnknownRecipient,
)
from tests import transcripts
from tests.fakes.policyd import Conversation
from tests.transcripts import Transcript

ALL = transcripts.load("policyd", line_end=b"\n")


def replay(transcript: Transcript, octets: int | None) -> bytes:
    talk = Conversation()
    talk.gatekeeper.recipients = {
        "ann@example.org": None,
        "nobody@example.org": UnknownRecipient("nobody"),
        "off@example.org": RecipientDisabled("off"),
        "full@example.org": QuotaDeferred("full"),
        "strict@example.org": QuotaRejected("strict"),
    }
    talk.gatekeeper.senders = {
        "busy@example.org": SendingLimitReached("busy"),
        "barred@example.org": SendingOff("barred"),
    }
    for piece in transcript.pieces(octets):
        talk.session.receive(piece)
    assert not talk.peer.closed
    assert talk.journal.troubles == []
    return bytes(talk.peer.sent)


@pytest.mark.parametrize("octets", transcripts.PIECES)
@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
def test_the_server_answers_as_written_however_the_octets_arrive(transcript: Transcript, octets: int | None) -> None:
    transcript.check(replay(transcript, octets))
