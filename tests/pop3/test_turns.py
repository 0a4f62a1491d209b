"""Turns: segments, pipelines, slow peers, answers that come late, peers that leave, peers that talk nonsense."""

from __future__ import annotations

import pytest

from mailstore.pop3.commands import SASL_LINE_OCTETS
from mailstore.wire.turn_taker import HELD_OCTETS, PENDING_OCTETS
from tests.fakes.pop3 import Conversation
from tests.pop3.transcript_setup import MESSAGES, signed_in

ONE_REPLY = b"-ERR "


# --- lines ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("P-007")
@pytest.mark.parametrize("octets", [600, 3000, SASL_LINE_OCTETS, SASL_LINE_OCTETS + 1, 2**20])
@pytest.mark.parametrize("piece", [997, 2**21])
def test_an_overlong_line_gets_one_reply_and_its_tail_is_no_command(octets: int, piece: int) -> None:
    talk = signed_in()
    line = b"X" * octets + b"QUIT\r\n"
    replies = b"".join(talk.send(line[start : start + piece]) for start in range(0, len(line), piece))
    assert replies == b"-ERR the line is too long\r\n"
    assert not talk.peer.closed
    assert talk.say("STAT") == "+OK 3 106\r\n"


@pytest.mark.req("P-007")
def test_an_overlong_line_that_never_ends_gets_its_reply_and_keeps_no_memory() -> None:
    talk = Conversation()
    replies = b"".join(talk.send(b"A" * 4096) for _ in range(256))
    assert replies == b"-ERR the line is too long\r\n"
    assert len(talk.session._turns.lines) <= SASL_LINE_OCTETS


@pytest.mark.req("P-008")
@pytest.mark.parametrize("line", ["K" * 250, "LIST " + "9" * 240, "AUTH " + "M" * 240, "USER " + "u" * 248])
def test_a_reply_is_short_whatever_the_client_sent(line: str) -> None:
    assert len(Conversation().say(line)) <= 80


@pytest.mark.req("P-016")
def test_a_bare_lf_ends_a_command_in_both_states() -> None:
    assert Conversation().send(b"CAPA\n").startswith(b"+OK")
    assert signed_in().send(b"STAT\n") == b"+OK 3 106\r\n"


@pytest.mark.req("P-017")
def test_a_lone_cr_does_not_end_a_command() -> None:
    talk = signed_in()
    assert talk.send(b"STAT\r") == b""
    assert talk.send(b"NOOP\r\n").count(ONE_REPLY) == 1


@pytest.mark.req("P-021")
@pytest.mark.parametrize("line", [b"\r\n", b"\n", b" \r\n", b":\r\n"])
def test_an_empty_line_is_a_bad_command(line: bytes) -> None:
    for talk in (Conversation(), signed_in()):
        assert talk.send(line) == b"-ERR unknown command\r\n"
        assert not talk.peer.closed


@pytest.mark.req("P-022")
@pytest.mark.parametrize("form", [b"%b", b"STA%b", b"NOOP %b", b"USER %b"])
def test_every_octet_anywhere_gets_one_line_and_the_session_lives(form: bytes) -> None:
    for value in set(range(256)) - {0x0A}:
        talk = signed_in()
        reply = talk.send(form % bytes([value]) + b"\r\n")
        assert reply.startswith((b"+OK", b"-ERR")), value
        assert reply.count(b"\r\n") == 1, value
        assert talk.say("NOOP") == "+OK\r\n", value


# --- pipelines and waiting --------------------------------------------------------------------------------------------


@pytest.mark.req("P-023")
@pytest.mark.req("P-108")
def test_a_pipeline_is_answered_in_order() -> None:
    talk = signed_in()
    pipeline = b"STAT\r\nLIST 1\r\nFOO\r\nDELE 1\r\nRSET\r\nNOOP\r\n"
    statuses = [line.split(b" ")[0] for line in talk.send(pipeline).split(b"\r\n")[:-1]]
    assert statuses == [b"+OK", b"+OK", b"-ERR", b"+OK", b"+OK", b"+OK"]
    assert talk.send(b"NOOP\r\n" * 1000) == b"+OK\r\n" * 1000


@pytest.mark.req("P-023")
@pytest.mark.req("P-147")
def test_no_line_has_its_turn_while_an_answer_is_outstanding() -> None:
    talk = Conversation(*MESSAGES)
    talk.accounts.answers.held = talk.maildrop.answers.held = True
    assert talk.send(b"USER anna@example.org\r\nPASS secret\r\nSTAT\r\nLIST 2\r\nNOOP\r\n") == b"+OK send PASS\r\n"
    talk.accounts.answers.release()
    assert talk.peer.writes[-1] == b"+OK 3 106\r\n"
    talk.maildrop.answers.release()
    assert talk.peer.writes[-2:] == [b"+OK 2 21\r\n", b"+OK\r\n"]


@pytest.mark.req("P-025")
@pytest.mark.req("P-108")
def test_no_reply_overtakes_a_body() -> None:
    talk = signed_in()
    talk.peer.slow = True
    assert talk.send(b"RETR 2\r\nRETR 2\r\nNOOP\r\n") == b""
    talk.peer.deliver_body()
    assert talk.peer.sent.endswith(b"one\r\n.\r\n")
    talk.peer.deliver_body()
    assert talk.peer.sent.endswith(b"one\r\n.\r\n+OK\r\n")


@pytest.mark.req("P-025")
def test_a_peer_that_does_not_read_is_not_read_from() -> None:
    talk = signed_in()
    talk.peer.full = True
    sent = len(talk.peer.sent)
    fed = 0
    while talk.session.wants_input() and fed * 6 <= PENDING_OCTETS:
        talk.session.receive(b"NOOP\r\n" * 100)
        fed += 100
    assert not talk.session.wants_input()
    assert len(talk.peer.sent) == sent
    talk.peer.full = False
    talk.session.proceed()
    assert talk.session.wants_input()
    assert talk.peer.sent[sent:] == b"+OK\r\n" * fed


@pytest.mark.req("P-025")
def test_a_peer_that_fills_up_in_the_middle_of_a_pipeline_stops_it_there() -> None:
    talk = signed_in()
    """At the latest when so many octets were said as may leave in one write."""
    talk.peer.fills_up = True
    lines = 2 * HELD_OCTETS // len(b"+OK\r\n")
    replies = talk.send(b"NOOP\r\n" * lines)
    assert HELD_OCTETS <= len(replies) < HELD_OCTETS + len(b"+OK\r\n")
    talk.session.proceed()
    assert talk.peer.sent.endswith(b")\r\n" + replies)
    talk.peer.full = talk.peer.fills_up = False
    talk.session.proceed()
    assert talk.peer.sent.endswith(b")\r\n" + b"+OK\r\n" * lines)


def test_the_replies_to_a_pipeline_leave_in_one_write_and_never_behind_a_body_that_comes_later() -> None:
    """A write each would take most of a turn; what a client reads is the same."""
    talk = signed_in()
    before = len(talk.peer.writes)
    talk.send(b"NOOP\r\nSTAT\r\nRETR 2\r\nNOOP\r\nNOOP\r\n")
    assert talk.peer.writes[before:] == [b"+OK\r\n+OK 3 106\r\n", b"+OK\r\n" * 2]
    assert talk.peer.sent.endswith(
        b"+OK\r\n+OK 3 106\r\n+OK 21 octets\r\n" + MESSAGES[1].body + b".\r\n" + b"+OK\r\n" * 2
    )


def test_ten_thousand_answers_that_come_at_once_do_not_pile_up_on_the_stack() -> None:
    talk = signed_in()
    assert talk.send(b"RETR 2\r\n" * 10000).count(b"+OK 21 octets") == 10000


@pytest.mark.req("P-023")
def test_a_pipeline_stops_where_its_turn_ends_and_goes_on_at_the_next() -> None:
    talk = signed_in()
    talk.peer.turn_lines = 3
    assert talk.send(b"STAT\r\n" + b"NOOP\r\n" * 6 + b"NO") == b"+OK 3 106\r\n" + b"+OK\r\n" * 2
    assert talk.send(b"OP\r\nSTAT\r\n") == b""
    before = len(talk.peer.sent)
    talk.peer.take_turn()
    assert talk.peer.sent[before:] == b"+OK\r\n" * 3
    while talk.peer.turns:
        talk.peer.take_turn()
    assert talk.peer.sent[before:] == b"+OK\r\n" * 5 + b"+OK 3 106\r\n"


@pytest.mark.req("P-025")
def test_fetches_have_turns_too_and_a_body_on_its_way_is_not_taken_for_sent() -> None:
    talk = signed_in()
    talk.peer.turn_lines = 1
    assert talk.send(b"RETR 2\r\nRETR 2\r\nNOOP\r\n").count(b"+OK 21 octets") == 1
    talk.peer.slow = True
    talk.peer.take_turn()
    assert talk.peer.sent.count(b"+OK 21 octets") == 1
    talk.peer.slow = False
    talk.peer.deliver_body()
    while talk.peer.turns:
        talk.peer.take_turn()
    assert talk.peer.sent.endswith(b"one\r\n.\r\n+OK\r\n")


@pytest.mark.req("P-027")
def test_lines_that_wait_for_their_turn_are_answered_though_nothing_more_will_come() -> None:
    talk = signed_in()
    talk.peer.turn_lines = 2
    talk.send(b"NOOP\r\n" * 5)
    talk.session.half_closed()
    assert not talk.peer.closed
    while talk.peer.turns:
        talk.peer.take_turn()
    assert talk.peer.sent.endswith(b")\r\n" + b"+OK\r\n" * 5)
    assert talk.peer.closed


# --- ends -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("P-027")
def test_a_peer_that_stops_sending_still_gets_every_reply() -> None:
    talk = Conversation(*MESSAGES)
    talk.accounts.answers.held = True
    talk.send(b"USER anna@example.org\r\nPASS secret\r\nSTAT\r\nRETR 2\r\nQUIT\r\n")
    talk.session.half_closed()
    assert not talk.peer.closed
    talk.accounts.answers.release()
    assert talk.peer.sent.count(b"+OK") == 6  # with the greeting
    assert talk.peer.closed
    assert talk.end().reason == "quit"


@pytest.mark.req("P-027")
def test_a_peer_that_stops_sending_is_closed_when_all_is_answered() -> None:
    talk = signed_in()
    talk.peer.slow = True
    talk.send(b"RETR 2\r\nNOOP\r\nNO")
    talk.session.half_closed()
    assert not talk.peer.closed
    talk.peer.deliver_body()
    assert talk.peer.sent.endswith(b".\r\n+OK\r\n")
    assert talk.peer.closed


@pytest.mark.req("P-028")
@pytest.mark.parametrize("line", ["RETR 1", "TOP 1 0", "LIST", "DELE 1"])
def test_an_answer_to_a_peer_that_left_is_dropped_and_its_body_closed(line: str) -> None:
    talk = signed_in()
    talk.say("LIST 1")
    talk.maildrop.answers.held = True
    talk.say(line)
    sent = len(talk.peer.sent)
    talk.end()
    talk.maildrop.answers.release()
    assert len(talk.peer.sent) == sent
    assert [body.closed for body in talk.maildrop.opened] == [1] * len(talk.maildrop.opened)
    assert len(talk.journal.records) == 1


@pytest.mark.req("P-028")
def test_a_sign_in_that_succeeds_too_late_opens_nothing() -> None:
    talk = Conversation(*MESSAGES)
    talk.accounts.answers.held = True
    talk.sign_in()
    record = talk.end()
    talk.accounts.answers.release()
    assert not talk.session.signed_in()
    assert record.address is None
    assert talk.journal.records == [record]


def test_nothing_behind_quit_has_a_turn() -> None:
    talk = signed_in()
    assert talk.send(b"QUIT\r\nDELE 1\r\nQUIT\r\n") == b"+OK goodbye\r\n"
    assert talk.say("STAT") == ""
    assert talk.maildrop.removed == []


# --- bugs of ours -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", [False, True], ids=["at once", "later"])
def test_a_bug_behind_an_answer_ends_the_connection(held: bool) -> None:
    """The harm: the client waited in silence until its own limit, and nothing behind its command was obeyed."""
    talk = Conversation()
    talk.accounts.add("odd@example.org", "secret", object())  # no maildrop
    talk.say("USER odd@example.org")
    talk.accounts.answers.held = held
    assert talk.send(b"PASS secret\r\nSTAT\r\n") == b""
    talk.accounts.answers.release()
    assert talk.peer.closed
    assert [type(error) for error in talk.peer.failures] == [AttributeError]
    assert talk.end().reason == "lost"


# --- strangers --------------------------------------------------------------------------------------------------------


@pytest.mark.req("P-186")
def test_the_hundred_and_first_command_without_a_sign_in_is_refused_and_the_last() -> None:
    talk = Conversation()
    assert talk.send(b"CAPA\r\n" * 100).count(b"+OK capabilities") == 100
    assert not talk.peer.closed
    assert talk.send(b"CAPA\r\nCAPA\r\n") == b"-ERR too many commands without a sign-in\r\n"
    assert talk.peer.closed
    assert talk.end().reason == "too many commands"


def test_the_lines_of_an_exchange_are_no_commands_and_the_hundredth_may_sign_in() -> None:
    talk = Conversation(*MESSAGES)
    for _ in range(99):
        assert talk.say("AUTH LOGIN").startswith("+ ")
        assert talk.say("YW5uYUBleGFtcGxlLm9yZw==").startswith("+ ")
        assert talk.say("*").startswith("-ERR ")
    assert talk.say("AUTH PLAIN") == "+ \r\n"
    assert not talk.peer.admitted
    assert talk.say("AGFubmFAZXhhbXBsZS5vcmcAc2VjcmV0").startswith("+OK 3 messages")
    assert talk.peer.admitted
    assert talk.send(b"NOOP\r\n" * 200) == b"+OK\r\n" * 200


# --- bad commands ---------------------------------------------------------------------------------------------------


@pytest.mark.req("P-009")
@pytest.mark.req("P-186")
@pytest.mark.parametrize("bad", ["FOO", "", "LIST x", "STAT x", "PASS", "NOOP\0"])
def test_the_tenth_bad_command_in_a_row_ends_a_conversation_before_sign_in(bad: str) -> None:
    talk = Conversation()
    for _ in range(9):
        assert talk.say(bad).startswith("-ERR ")
        assert not talk.peer.closed
    assert talk.say(bad).startswith("-ERR ")
    assert talk.peer.closed
    assert talk.end().reason == "bad commands"


@pytest.mark.req("P-186")
def test_the_twentieth_ends_it_after_sign_in_and_a_good_one_starts_the_count_again() -> None:
    talk = signed_in()
    for _ in range(3):
        assert talk.send(b"FOO\r\n" * 19 + b"NOOP\r\n").endswith(b"+OK\r\n")
    assert not talk.peer.closed
    assert talk.send(b"FOO\r\n" * 25).count(ONE_REPLY) == 20
    assert talk.peer.closed


@pytest.mark.req("P-186")
@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: pop.example.org\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\nUSER anna\r\nPASS secret\r\nSTAT\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nSTAT\r\n",
        b"\x16\x03\x01\x02\0\1\0\1\xfc\x03\x03",
        b"\x16\x03\x01\x02\0\1\0\n\xfc\x03\x03\n",
    ],
)
@pytest.mark.parametrize("piece", [1, 1000])
def test_another_protocol_gets_one_reply_and_the_end(data: bytes, piece: int) -> None:
    talk = Conversation()
    replies = b"".join(talk.send(data[start : start + piece]) for start in range(0, len(data), piece))
    assert replies == b"-ERR this is a POP3 server\r\n"
    assert talk.peer.closed
    assert talk.end().reason == "not POP3"


def test_a_proxy_header_of_version_2_on_an_ordinary_port_is_no_command() -> None:
    talk = Conversation()
    assert talk.send(b"\r\n\r\n\0\r\nQUIT\n").count(ONE_REPLY) == 3
    assert talk.peer.closed
