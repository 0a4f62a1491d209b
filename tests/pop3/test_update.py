"""QUIT and every other end: what is removed, when it is said, and what is told about the session."""

from __future__ import annotations

import pytest

from mailstore.errors import Unavailable
from tests.fakes.pop3 import Conversation, FakePeer
from tests.pop3.transcript_setup import MESSAGES, signed_in


@pytest.mark.req("P-086")
def test_quit_removes_exactly_what_is_marked_then_answers_then_closes() -> None:
    talk = signed_in()
    for line in ("DELE 3", "DELE 2", "RSET", "DELE 3", "DELE 1"):
        talk.say(line)
    assert talk.say("QUIT") == "+OK goodbye\r\n"
    assert talk.maildrop.removed == [[1, 3]]
    assert talk.peer.closed
    assert talk.end().removed == 2


def test_quit_without_marks_asks_nobody() -> None:
    talk = signed_in()
    talk.say("DELE 1")
    talk.say("RSET")
    assert talk.say("QUIT") == "+OK goodbye\r\n"
    assert talk.maildrop.removed == []


@pytest.mark.req("P-087")
def test_nothing_is_said_before_the_removal_is_durable() -> None:
    talk = signed_in()
    talk.say("DELE 1")
    talk.maildrop.answers.held = True
    assert talk.say("QUIT") == ""
    assert talk.session.updating()
    assert not talk.peer.closed
    talk.maildrop.answers.release()
    assert talk.peer.sent.endswith(b"+OK goodbye\r\n")
    assert not talk.session.updating()
    assert talk.peer.closed


@pytest.mark.req("P-088")
def test_a_removal_that_fails_is_told_and_the_connection_closes() -> None:
    talk = signed_in()
    talk.say("DELE 1")
    talk.maildrop.remove_error = Unavailable("the database went away")
    assert talk.say("QUIT") == "-ERR [SYS/TEMP] some deleted messages not removed\r\n"
    assert talk.peer.closed
    assert talk.journal.troubles == [(talk.maildrop.remove_error, "removing messages of anna@example.org")]
    assert talk.end().removed == 0


@pytest.mark.req("P-091")
@pytest.mark.parametrize("reason", ["lost", "idle", "stalled", "shutdown"])
def test_any_other_end_removes_nothing(reason: str) -> None:
    talk = signed_in()
    talk.say("DELE 1")
    record = talk.end(reason)
    assert talk.maildrop.removed == []
    assert (record.reason, record.dele, record.removed) == (reason, 1, 0)


@pytest.mark.req("P-091")
def test_too_many_bad_commands_remove_nothing() -> None:
    talk = signed_in()
    talk.say("DELE 1")
    for _ in range(20):
        talk.say("FOO")
    assert talk.peer.closed
    assert talk.say("QUIT") == ""
    assert talk.maildrop.removed == []


@pytest.mark.req("P-092")
@pytest.mark.parametrize("unfinished", [b"QUIT", b"QUIT\r", b"QUI"])
def test_an_unfinished_quit_before_the_end_is_no_quit(unfinished: bytes) -> None:
    talk = signed_in()
    assert talk.send(b"DELE 1\r\n" + unfinished) == b"+OK marked for removal\r\n"
    talk.session.half_closed()
    assert talk.peer.closed
    assert talk.maildrop.removed == []
    assert talk.end().reason == "half-closed"


@pytest.mark.req("P-096")
def test_an_end_that_is_not_quit_says_nothing() -> None:
    talk = signed_in()
    sent = len(talk.peer.sent)
    talk.end("idle")
    assert len(talk.peer.sent) == sent


@pytest.mark.req("P-093")
def test_a_peer_that_leaves_during_the_removal_is_recorded_once_with_what_became_of_it() -> None:
    talk = signed_in()
    talk.say("DELE 2")
    talk.maildrop.answers.held = True
    talk.say("QUIT")
    talk.session.ended("lost", 50, 60)
    assert talk.session.updating()
    assert talk.journal.records == []
    talk.maildrop.answers.release()
    (record,) = talk.journal.records
    assert record.removed == 1
    assert not talk.session.updating()


@pytest.mark.req("P-198")
def test_one_record_tells_what_a_session_was() -> None:
    peer = FakePeer(client="203.0.113.9")
    peer.proxy = "10.0.0.1"
    talk = Conversation(*MESSAGES, peer=peer)
    talk.session.tls_started("TLSv1.3")
    talk.sign_in()
    for line in ("UIDL", "TOP 1 0", "RETR 1", "RETR 2", "DELE 1", "DELE 9", "QUIT"):
        talk.say(line)
    talk.session.ended("closed", 123, 456)
    (record,) = talk.journal.records
    assert (record.client, record.proxy, record.tls) == ("203.0.113.9", "10.0.0.1", "TLSv1.3")
    assert (record.address, record.device, record.mechanism) == ("anna@example.org", "main", "USER")
    assert (record.top, record.retr, record.dele, record.removed, record.messages) == (1, 2, 1, 1, 3)
    assert (record.octets_in, record.octets_out, record.reason) == (123, 456, "quit")
    assert record.uidl_digest


@pytest.mark.req("P-196")
def test_the_record_and_the_troubles_hold_no_secret() -> None:
    talk = Conversation(*MESSAGES)
    talk.accounts.error = Unavailable("the database is away")
    talk.sign_in("hunter2")
    talk.say("PAS hunter2")
    talk.say("AUTH LOGIN hunter2")
    talk.say("AUTH PLAIN")
    talk.say("hunter2")
    text = repr((talk.end(), talk.journal.troubles, talk.journal.refused, bytes(talk.peer.sent)))
    assert "hunter2" not in text


@pytest.mark.req("P-197")
@pytest.mark.parametrize(
    "line", ["ECHO", "USER ECHO", "AUTH ECHO", "RETR ECHO", "TOP ECHO 1", "[AUTH] ECHO", "STAT ECHO"]
)
def test_what_a_client_sends_is_never_quoted_to_it(line: str) -> None:
    assert "ECHO" not in Conversation(*MESSAGES).say(line)
    assert "ECHO" not in signed_in().say(line)


@pytest.mark.parametrize("held", [False, True], ids=["at once", "later"])
def test_a_bug_behind_a_removal_ends_the_connection_and_a_shutdown_does_not_wait_for_it(held: bool) -> None:
    talk = signed_in()
    talk.say("DELE 2")
    talk.maildrop.remove_error = Unavailable("away")
    del talk.maildrop.address  # the trouble cannot be told
    talk.maildrop.answers.held = held
    assert talk.say("QUIT") == ""
    talk.maildrop.answers.release()
    assert [type(error) for error in talk.peer.failures] == [AttributeError]
    assert talk.peer.closed
    assert not talk.session.updating()
    assert talk.end().removed == 0
