"""The conversations of the RFCs, whole and cut into pieces of every awkward size."""

from __future__ import annotations

import re

import pytest

from tests import transcripts
from tests.fakes.pop3 import Conversation
from tests.pop3.transcript_setup import MESSAGES, OCTETS, peer_of, rules_of
from tests.transcripts import Transcript

ALL = transcripts.load("pop3")


def replay(transcript: Transcript, octets: int | None) -> bytes:
    messages = () if "empty" in transcript.stage else MESSAGES
    talk = Conversation(*messages, peer=peer_of(transcript.stage), rules=rules_of(transcript.stage))
    for piece in transcript.pieces(octets):
        talk.session.receive(piece)
    assert talk.peer.closed
    return bytes(talk.peer.sent)


@pytest.mark.req("P-009")
@pytest.mark.req("P-010")
@pytest.mark.req("P-012")
@pytest.mark.req("P-023")
@pytest.mark.req("P-024")
@pytest.mark.req("P-058")
@pytest.mark.req("P-059")
@pytest.mark.req("P-085")
@pytest.mark.parametrize("octets", transcripts.PIECES)
@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
def test_the_server_answers_as_written_however_the_octets_arrive(transcript: Transcript, octets: int | None) -> None:
    transcript.check(replay(transcript, octets))


@pytest.mark.req("P-003")
@pytest.mark.req("P-004")
@pytest.mark.req("P-008")
@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
def test_every_line_ends_in_crlf_and_every_reply_begins_with_a_status(transcript: Transcript) -> None:
    received = replay(transcript, None)
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", received)
    statuses = [line for line in received.split(b"\r\n") if line.startswith((b"+", b"-"))]
    assert all(re.match(rb"(\+OK|-ERR)( |$)|\+ ", line) for line in statuses)
    assert all(len(line) + 2 <= 512 for line in statuses)


@pytest.mark.req("P-055")
def test_the_sizes_of_the_stage_are_what_a_client_ends_with() -> None:
    assert tuple(message.octets for message in MESSAGES) == OCTETS
