"""The conversations of the RFCs, whole and cut into pieces of every awkward size."""

from __future__ import annotations

import re

import pytest

from tests import transcripts
from tests.lmtp.transcript_setup import conversation
from tests.transcripts import Transcript

ALL = transcripts.load("lmtp")


def replay(transcript: Transcript, octets: int | None) -> bytes:
    talk = conversation(transcript.stage)
    for piece in transcript.pieces(octets):
        talk.session.receive(piece)
    assert talk.peer.closed
    return bytes(talk.peer.sent)


@pytest.mark.parametrize("octets", transcripts.PIECES)
@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
def test_the_server_answers_as_written_however_the_octets_arrive(transcript: Transcript, octets: int | None) -> None:
    transcript.check(replay(transcript, octets))


@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
def test_every_reply_is_a_line_with_a_code(transcript: Transcript) -> None:
    received = replay(transcript, None)
    assert received.endswith(b"\r\n")
    # RFC 5321 §4.2, §4.5.3.1.5
    for line in received[:-2].split(b"\r\n"):
        assert re.fullmatch(rb"[2-5][0-9][0-9][ -][ -~]*", line)
        assert len(line) + 2 <= 512


@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
def test_every_reply_but_those_to_lhlo_and_data_has_an_enhanced_code_of_its_class(transcript: Transcript) -> None:
    # RFC 2034 §4
    for line in replay(transcript, None)[:-2].split(b"\r\n"):
        if line[:3] not in (b"220", b"354") and not re.match(rb"250[- ]([A-Z0-9]{8}|SIZE|mx\.)", line):
            assert re.match(rb"(\d)\d\d \1\.\d\.\d ", line)
