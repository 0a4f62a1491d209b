"""The conversations with Postfix and Exim, written from the protocol: whole, and cut into pieces of every size."""

from __future__ import annotations

import pytest

from mailstore.errors import DeviceMayNotSend, MainPasswordBarred, SendingOff
from tests import transcripts
from tests.fakes.sasl import Conversation
from tests.transcripts import Transcript

ALL = transcripts.load("sasl", line_end=b"\n")
EXIM_LINE_OCTETS = 8192


def replay(transcript: Transcript, octets: int | None) -> bytes:
    talk = Conversation()
    talk.senders.add("off@example.org", "secret", SendingOff("off"))
    talk.senders.add("device@example.org", "secret", DeviceMayNotSend("phone"))
    talk.senders.add("main@example.org", "secret", MainPasswordBarred("main"))
    for piece in transcript.pieces(octets):
        talk.session.receive(piece)
    assert not talk.peer.closed
    return bytes(talk.peer.sent)


@pytest.mark.parametrize("octets", transcripts.PIECES)
@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
def test_the_server_answers_as_written_however_the_octets_arrive(transcript: Transcript, octets: int | None) -> None:
    transcript.check(replay(transcript, octets))


@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
def test_every_line_fits_the_buffer_of_exim_and_has_no_carriage_return(transcript: Transcript) -> None:
    received = replay(transcript, None)
    assert b"\r" not in received
    assert max(map(len, received.splitlines())) < EXIM_LINE_OCTETS
