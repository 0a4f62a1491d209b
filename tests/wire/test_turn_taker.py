"""What the turn-taker owes both protocols beyond their transcripts."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator

import pytest

from mailstore.wire.turn_taker import TurnTaker
from tests.fakes import lmtp, pop3

PIECES_OF_LMTP = (b"LHLO a\r\nMAIL FROM:<s@example.net>\r\nRCPT TO:<ann@example.org>\r\n", b"DATA\r\nhalf a message")
PIECES_OF_POP3 = (b"USER anna@example.org\r\nPASS secret\r\n", b"NOOP\r\nRETR 1\r\nAUT")


def lmtp_conversation() -> lmtp.Conversation:
    delivery = lmtp.FakeDelivery()
    delivery.add("ann@example.org")
    return lmtp.Conversation(delivery=delivery)


def pop3_conversation() -> pop3.Conversation:
    return pop3.Conversation(pop3.StoredMessage(body=b"a: b\r\n\r\nc\r\n", uidl="0a"))


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize(
    ("begin", "pieces"),
    [(lmtp_conversation, PIECES_OF_LMTP), (pop3_conversation, PIECES_OF_POP3)],
    ids=["LMTP", "POP3"],
)
@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_session_that_ended_does_not_wait_for_the_garbage_collector(
    begin: Callable[[], pop3.Conversation | lmtp.Conversation], pieces: tuple[bytes, ...], count: int
) -> None:
    """The harm: ten thousand ended sessions stay in memory until a collection, which stops the worker meanwhile."""
    talk = begin()
    for piece in pieces[:count]:
        talk.send(piece)
    session = weakref.ref(talk.session)
    talk.session.ended("lost", 0, 0)
    talk.peer.session = None
    del talk.session
    if isinstance(talk, pop3.Conversation):
        talk.accounts.sign_ins.clear()
    assert session() is None


class FailingHandler:
    """Answers each line with itself, and fails when no line is left."""

    turns: TurnTaker

    def obey(self, line: bytes) -> None:
        self.turns.say(line + b"\r\n")

    def obey_overlong(self) -> None:
        raise AssertionError("no line is so long")

    def out_of_lines(self) -> None:
        raise RuntimeError("a bug of ours")


class NoEnd:
    """Content that never ends."""

    def feed(self, chunk: bytes) -> None: ...


@pytest.fixture
def failing() -> tuple[TurnTaker, pop3.FakePeer]:
    handler, peer = FailingHandler(), pop3.FakePeer()
    handler.turns = TurnTaker(peer, handler, line_octets=100)
    return handler.turns, peer


def test_a_bug_when_no_line_is_left_loses_no_reply(failing: tuple[TurnTaker, pop3.FakePeer]) -> None:
    """The harm: lines were obeyed, and their replies were dropped."""
    turns, peer = failing
    turns.receive(b"one\r\ntwo\r\n")
    assert bytes(peer.sent) == b"one\r\ntwo\r\n"
    assert [str(error) for error in peer.failures] == ["a bug of ours"]
    assert turns.closing


def test_a_bug_when_the_input_ends_inside_content_ends_the_session(failing: tuple[TurnTaker, pop3.FakePeer]) -> None:
    turns, peer = failing
    turns.read_content(NoEnd(), lambda: None)
    turns.end_input()
    assert [str(error) for error in peer.failures] == ["a bug of ours"]
    assert turns.closing
