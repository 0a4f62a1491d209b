"""A conversation as an MTA and the store see it: order, limits, waiting, ends."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore import errors
from mailstore.lmtp import replies
from mailstore.ports import Delivered, Done, Envelope, Recipient
from mailstore.wire.turn_taker import PENDING_OCTETS
from tests.fakes.lmtp import RULES, Conversation, FakeDelivery
from tests.fakes.pop3 import FakePeer

ANNA, BERT, CARL = "Anna+Shop@example.org", "bert@example.org", "carl@example.org"


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


# --- what reaches the store ---------------------------------------------------------------------------------------


def test_a_message_reaches_the_store_in_wire_form_with_its_size(talk: Conversation) -> None:
    talk.open(ANNA, BERT)
    talk.say("DATA")
    replies = talk.send(b"Subject: x\n\r\n..dot\r\nend\r\n.\r\n")
    assert replies == b"250 2.0.0 delivered as q0\r\n250 2.0.0 delivered as q1\r\n"
    assert talk.intake.wire == b"Subject: x\r\n\r\n..dot\r\nend\r\n"
    assert talk.intake.committed == ([ANNA, BERT], len(talk.intake.wire) - 1)


def test_chunks_reach_the_store_as_one_message(talk: Conversation) -> None:
    talk.open(ANNA)
    assert talk.send(b"BDAT 9\r\nfirst\r\n.d") == b"250 2.0.0 chunk received\r\n"
    assert talk.send(b"BDAT 8 LAST\r\not\r\n.\r\nx", b"NOOP\r\n").startswith(b"250 2.0.0 delivered")
    assert talk.intake.wire == b"first\r\n..dot\r\n..\r\nx\r\n"
    assert talk.intake.committed == ([ANNA], len(talk.intake.wire) - 2)


@pytest.mark.parametrize(("parameters", "protocol"), [("", "LMTP"), (" SMTPUTF8", "UTF8LMTP")])
def test_the_envelope_tells_who_sent_and_how(parameters: str, protocol: str) -> None:
    talk = Conversation(peer=FakePeer(client="2001:db8::7", encrypted=True))
    talk.delivery.add(ANNA)
    talk.say("LHLO mta.example.net", f"MAIL FROM:<S@Example.NET>{parameters}", f"RCPT TO:<{ANNA}>", "DATA")
    assert talk.intake.envelope == Envelope("S@Example.NET", "mta.example.net", "2001:db8::7", True, protocol)


def test_recipients_keep_their_case_and_detail_and_learn_the_announced_size(talk: Conversation) -> None:
    talk.delivery.add(ANNA)
    talk.say("LHLO a", "MAIL FROM:<s@example.net> SIZE=500", f"RCPT TO:<{ANNA}>", f"RCPT TO:<@relay.example:{BERT}>")
    assert talk.delivery.asked == [(ANNA, 500), (BERT, 500)]


def test_a_smuggled_transaction_is_content(talk: Conversation) -> None:
    talk.open(ANNA)
    talk.say("DATA")
    talk.send(b"one\n.\nMAIL FROM:<evil@example.org>\r\n\n.\r\nRCPT TO:<x@example.org>\r\n\r.\r\n")
    assert len(talk.delivery.intakes) == 1
    assert talk.intake.committed is None
    talk.send(b"\r\n.\r\n")
    assert b"MAIL FROM:<evil@example.org>" in talk.intake.wire


def test_eight_bit_content_and_nul_are_kept(talk: Conversation) -> None:
    talk.open(ANNA)
    talk.say("DATA")
    talk.send(bytes(range(256)).replace(b"\r", b"").replace(b"\n", b"") + b"\r\n.\r\n")
    assert talk.intake.wire == bytes(range(256)).replace(b"\r", b"").replace(b"\n", b"") + b"\r\n"


# --- replies: which, in which order, when ---------------------------------------------------------------------------


def test_a_reply_leaves_as_soon_as_those_before_it_have_left(talk: Conversation) -> None:
    talk.open(ANNA, BERT, CARL)
    talk.say("DATA")
    talk.delivery.held = True
    assert talk.send(b"x\r\n.\r\n") == b""
    assert talk.session.updating()
    first, second, third = talk.delivery.waiting
    second()
    assert talk.send() == b""
    assert bytes(talk.peer.sent).count(b"delivered as") == 0
    first()
    assert bytes(talk.peer.sent).endswith(b"delivered as q0\r\n250 2.0.0 delivered as q1\r\n")
    assert talk.session.updating()
    third()
    assert bytes(talk.peer.sent).endswith(b"delivered as q2\r\n")
    assert not talk.session.updating()


def test_recipients_are_asked_together_and_answered_in_order(talk: Conversation) -> None:
    talk.delivery.add(ANNA, CARL)
    talk.say("LHLO a", "MAIL FROM:<>")
    talk.delivery.held = True
    assert talk.codes(f"RCPT TO:<{ANNA}>", f"RCPT TO:<{BERT}>", f"RCPT TO:<{CARL}>", "DATA") == []
    talk.delivery.release(2, 1)
    assert talk.send() == b""
    talk.delivery.held = False
    talk.delivery.release()
    lines = bytes(talk.peer.sent).splitlines()[-4:]
    assert [line[:9] for line in lines] == [b"250 2.1.5", b"550 5.1.1", b"250 2.1.5", b"354 send "]
    talk.send(b".\r\n")
    assert talk.intake.committed == ([ANNA, CARL], 0)


def test_the_replies_to_an_envelope_leave_together(talk: Conversation) -> None:
    """RFC 2920 §3.2: what was asked in a group is answered in one piece."""
    talk.delivery.add(ANNA, BERT)
    talk.delivery.held = True
    talk.say("LHLO a")
    assert talk.say("MAIL FROM:<>") == ["250 2.1.0 sender OK"]
    talk.say("RSET")
    before = len(talk.peer.writes)
    assert talk.say("MAIL FROM:<>", f"RCPT TO:<{ANNA}>", f"RCPT TO:<{BERT}>", "DATA") == []
    talk.delivery.release()
    assert len(talk.peer.writes) == before + 1


@pytest.mark.parametrize("command", ["RSET", "LHLO b", "NOOP", "QUIT", "nonsense"])
def test_a_command_behind_undecided_recipients_waits_for_them(talk: Conversation, command: str) -> None:
    talk.delivery.add(ANNA)
    talk.say("LHLO a", "MAIL FROM:<>")
    talk.delivery.held = True
    assert talk.say(f"RCPT TO:<{ANNA}>", command) == []
    before = len(talk.peer.sent)
    talk.delivery.release()
    first, *others = bytes(talk.peer.sent[before:]).splitlines()
    assert first.startswith(b"250 2.1.5")
    assert others


def test_commands_behind_a_message_wait_for_its_last_reply(talk: Conversation) -> None:
    talk.open(ANNA)
    talk.say("DATA")
    talk.delivery.held = True
    assert talk.send(b"x\r\n.\r\nMAIL FROM:<>\r\nQUIT\r\n") == b""
    talk.delivery.release()
    assert [line[:9] for line in bytes(talk.peer.sent).splitlines()[-3:]] == [b"250 2.0.0", b"250 2.1.0", b"221 2.0.0"]
    assert talk.peer.closed


def test_a_whole_pipelined_session_is_answered_in_few_writes(talk: Conversation) -> None:
    talk.delivery.add(ANNA)
    talk.say("LHLO a")
    before = len(talk.peer.writes)
    talk.say("MAIL FROM:<>", *[f"RCPT TO:<{ANNA}>"] * 50, "DATA")
    assert len(talk.peer.writes) == before + 1


LEAVES = [
    leaf
    for leaf in vars(errors).values()
    if isinstance(leaf, type) and issubclass(leaf, errors.MailError) and not leaf.__subclasses__()
]
PERMANENT = {
    errors.UnknownRecipient: "550 5.1.1",
    errors.RecipientDisabled: "550 5.2.1",
    errors.QuotaRejected: "552 5.2.2",
    errors.MessageTooLarge: "552 5.3.4",
    errors.MailLoop: "554 5.4.6",
}
TEMPORARY = {
    errors.QuotaDeferred: "452 4.2.2",
    errors.StorageFull: "452 4.3.1",
    errors.Overloaded: "451 4.3.2",
    errors.AliasOutside: "451 4.3.5",
}


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_error_has_its_code_at_rcpt_and_after_the_message(
    talk: Conversation, leaf: type[errors.MailError]
) -> None:
    # What no delivery should ever meet is our own bug, and no mail bounces for that.
    code = (PERMANENT | TEMPORARY).get(leaf, "451 4.3.0")
    talk.open(ANNA)
    talk.delivery.refuse(BERT, leaf("secret cause"))
    talk.delivery.outcomes[ANNA.lower()] = leaf("secret cause")
    assert talk.codes(f"RCPT TO:<{BERT}>") == [code]
    talk.say("DATA")
    (reply,) = talk.say(".")
    assert reply.startswith(f"{code} ")
    assert "secret" not in reply


@pytest.mark.parametrize("odd", [errors.MailError("?"), errors.Refused("?"), errors.TryAgain("?"), None, "text"])
def test_an_answer_nobody_expects_is_temporary_and_told(talk: Conversation, odd: object) -> None:
    talk.open(ANNA)
    talk.delivery.outcomes[ANNA.lower()] = odd
    talk.delivery.refuse(BERT, odd)
    assert talk.codes(f"RCPT TO:<{BERT}>", "DATA")[0] == "451 4.3.0"
    assert talk.codes(".") == ["451 4.3.0"]
    assert len(talk.journal.troubles) == 2


@pytest.mark.parametrize("error", [errors.Unavailable("db"), errors.StorageFull("disk"), errors.AliasOutside("x")])
def test_what_an_operator_must_see_is_told(talk: Conversation, error: errors.MailError) -> None:
    talk.open(ANNA)
    talk.delivery.outcomes[ANNA.lower()] = error
    talk.say("DATA", ".")
    assert [trouble for trouble, _doing in talk.journal.troubles] == [error]


@pytest.mark.parametrize("error", [errors.QuotaDeferred("x"), errors.QuotaRejected("x"), errors.UnknownRecipient("x")])
def test_what_is_the_senders_matter_is_not_told(talk: Conversation, error: errors.MailError) -> None:
    talk.delivery.refuse(BERT, error)
    talk.say("LHLO a", "MAIL FROM:<>", f"RCPT TO:<{BERT}>")
    assert talk.journal.troubles == []


# --- limits ---------------------------------------------------------------------------------------------------------


def test_a_message_above_the_limit_is_forgotten_at_once_and_refused_for_each_recipient() -> None:
    talk = Conversation(rules=replace(RULES, max_message_octets=1000))
    talk.open(ANNA, BERT)
    talk.say("DATA")
    talk.send(b"x" * 998 + b"\r\n")
    assert not talk.intake.aborted
    talk.send(b"y")
    assert talk.intake.aborted
    for _ in range(50):
        assert talk.send(b"z" * 60_000) == b""
    assert talk.codes("", ".") == ["552 5.3.4", "552 5.3.4"]
    assert talk.intake.committed is None
    assert talk.codes("MAIL FROM:<>") == ["250 2.1.0"]


def test_the_limit_counts_what_a_client_ends_with_not_the_stuffing() -> None:
    talk = Conversation(rules=replace(RULES, max_message_octets=100 * 3))
    talk.open(ANNA)
    talk.say("DATA")
    assert talk.codes(*[".."] * 100, ".") == ["250 2.0.0"]


def test_a_chunk_that_would_pass_the_limit_is_not_stored() -> None:
    talk = Conversation(rules=replace(RULES, max_message_octets=1000))
    talk.open(ANNA)
    assert talk.send(b"BDAT 600\r\n" + b"x" * 600).startswith(b"250")
    talk.send(b"BDAT 401\r\n")
    assert talk.intake.aborted
    assert talk.send(b"x" * 401).startswith(b"552 5.3.4")
    assert talk.codes("BDAT 0 LAST") == ["552 5.3.4"]


def test_recipients_above_the_limit_are_for_another_transaction() -> None:
    talk = Conversation(rules=replace(RULES, max_recipients=2))
    talk.open(ANNA, BERT)
    talk.delivery.add(CARL)
    assert talk.codes(f"RCPT TO:<{CARL}>") == ["452 4.5.3"]
    talk.say("DATA")
    assert talk.codes(".") == ["250 2.0.0"] * 2


def test_undecided_recipients_count_against_the_limit() -> None:
    talk = Conversation(rules=replace(RULES, max_recipients=2))
    talk.delivery.add(ANNA, BERT, CARL)
    talk.say("LHLO a", "MAIL FROM:<>")
    talk.delivery.held = True
    talk.say(f"RCPT TO:<{ANNA}>", f"RCPT TO:<{BERT}>", f"RCPT TO:<{CARL}>")
    assert len(talk.delivery.waiting) == 2


def test_a_recipient_whose_reply_waits_for_another_counts_once() -> None:
    talk = Conversation(rules=replace(RULES, max_recipients=3))
    talk.delivery.add(ANNA, BERT, CARL)
    talk.say("LHLO a", "MAIL FROM:<>")
    talk.delivery.held = True
    talk.say(f"RCPT TO:<{ANNA}>", f"RCPT TO:<{BERT}>")
    talk.delivery.release(1)
    talk.say(f"RCPT TO:<{CARL}>", f"RCPT TO:<{CARL}>")
    talk.delivery.release()
    assert [line[:9] for line in bytes(talk.peer.sent).splitlines()[-4:]] == [b"250 2.1.5"] * 3 + [b"452 4.5.3"]


def test_an_overlong_line_gets_one_reply_and_its_tail_is_no_command(talk: Conversation) -> None:
    line = b"NOOP " + b"x" * 200_000 + b" QUIT\r\n"
    pieces = [line[start : start + 1000] for start in range(0, len(line), 1000)]
    assert talk.send(*pieces, b"NOOP\r\n") == b"500 5.5.2 the line is too long\r\n250 2.0.0 OK\r\n"


def test_a_good_command_forgives_the_bad_ones_before_it(talk: Conversation) -> None:
    for _ in range(5):
        talk.say(*["bad"] * (RULES.max_bad_commands - 1), "NOOP")
    assert not talk.peer.closed


def test_a_long_pipeline_behind_a_refused_sender_is_answered_to_its_end(talk: Conversation) -> None:
    talk.say("LHLO a")
    group = ["MAIL FROM:<> SIZE=999999999", *[f"RCPT TO:<{BERT}>"] * 50, "DATA"]
    assert talk.codes(*group) == ["552 5.3.4", *["503 5.5.1"] * 51]
    assert talk.codes("MAIL FROM:<>", *["RCPT TO:<bad address>"] * 50) == ["250 2.1.0", *["501 5.1.3"] * 50]
    assert not talk.peer.closed


def test_no_more_is_read_while_much_waits(talk: Conversation) -> None:
    talk.open(ANNA)
    talk.say("DATA")
    talk.delivery.held = True
    talk.send(b".\r\n")
    assert talk.session.wants_input()
    talk.send(b"NOOP\r\n" * (PENDING_OCTETS // 6 + 1))
    assert not talk.session.wants_input()
    talk.delivery.release()
    assert talk.session.wants_input()
    assert bytes(talk.peer.sent).count(b"250 2.0.0 OK") == PENDING_OCTETS // 6 + 1


def test_no_more_is_read_while_more_recipients_than_a_message_may_have_are_undecided() -> None:
    talk = Conversation(rules=replace(RULES, max_recipients=2))
    talk.delivery.add(ANNA)
    talk.say("LHLO a", "MAIL FROM:<>")
    talk.delivery.held = True
    line = f"RCPT TO:<{ANNA}>"
    count = 2 * PENDING_OCTETS // len(line)
    before = len(talk.peer.sent)
    talk.say(*[line] * count)
    assert not talk.session.wants_input()
    talk.delivery.release()
    assert talk.session.wants_input()
    replies = [reply[:9] for reply in bytes(talk.peer.sent[before:]).splitlines()]
    assert replies == [b"250 2.1.5"] * 2 + [b"452 4.5.3"] * (count - 2)


def test_a_pipeline_stops_where_its_turn_ends_and_goes_on_at_the_next(talk: Conversation) -> None:
    talk.open("pat@foo.edu")
    talk.peer.turn_lines = 2
    assert talk.codes("NOOP", "RSET", "NOOP", "VRFY x", "NOOP") == ["250 2.0.0"] * 2
    assert talk.say("HELP") == []
    talk.session.half_closed()
    before = len(talk.peer.sent)
    while talk.peer.turns:
        assert not talk.peer.closed
        talk.peer.take_turn()
    assert [line[:3] for line in talk.peer.sent[before:].splitlines()] == [b"250", b"252", b"250", b"214"]
    assert talk.peer.closed


def test_a_message_comes_whole_however_its_envelope_is_cut_into_turns(talk: Conversation) -> None:
    talk.delivery.add("pat@foo.edu")
    talk.peer.turn_lines = 1
    talk.send(b"LHLO a\r\nMAIL FROM:<s@example.net>\r\nRCPT TO:<pat@foo.edu>\r\nDATA\r\nNOOP\r\nRSET\r\n.\r\nNOOP\r\n")
    while talk.peer.turns:
        talk.peer.take_turn()
    assert talk.intake.wire == b"NOOP\r\nRSET\r\n"
    assert talk.peer.sent.endswith(replies.GO_AHEAD + b"250 2.0.0 delivered as q0\r\n" + replies.OK)


def test_a_peer_that_does_not_read_is_not_answered_further(talk: Conversation) -> None:
    talk.peer.full = True
    assert not talk.session.wants_input()
    assert talk.say("LHLO a", "NOOP") == []
    talk.peer.full = False
    talk.session.proceed()
    assert bytes(talk.peer.sent).endswith(b"250 2.0.0 OK\r\n")


# --- ends -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("so_far", [b"DATA\r\nhalf", b"BDAT 10\r\nhalf", b"BDAT 4\r\nhalf", b"BDAT 10 LAST\r\nhalf"])
def test_a_message_that_breaks_off_is_forgotten(talk: Conversation, so_far: bytes) -> None:
    talk.open(ANNA)
    talk.send(so_far)
    talk.session.ended("lost", 0, 0)
    assert talk.intake.aborted
    assert talk.intake.committed is None


@pytest.mark.parametrize("command", ["RSET", "LHLO b", "QUIT"])
def test_a_command_between_chunks_ends_the_message(talk: Conversation, command: str) -> None:
    talk.open(ANNA)
    talk.send(b"BDAT 4\r\nhalf")
    talk.say(command)
    assert talk.intake.aborted


def test_a_lost_connection_does_not_undo_a_message_that_came_whole(talk: Conversation) -> None:
    talk.open(ANNA, BERT)
    talk.say("DATA")
    talk.delivery.held = True
    talk.send(b".\r\n")
    talk.session.ended("lost", 0, 0)
    assert not talk.intake.aborted
    assert talk.session.updating()
    before = bytes(talk.peer.sent)
    talk.delivery.release()
    assert not talk.session.updating()
    assert bytes(talk.peer.sent) == before


def test_an_answer_about_a_recipient_after_the_end_is_ignored(talk: Conversation) -> None:
    talk.delivery.add(ANNA)
    talk.say("LHLO a", "MAIL FROM:<>")
    talk.delivery.held = True
    talk.say(f"RCPT TO:<{ANNA}>", "NOOP")
    talk.session.ended("lost", 0, 0)
    before = bytes(talk.peer.sent)
    talk.delivery.release()
    assert bytes(talk.peer.sent) == before


def test_after_a_half_close_what_came_whole_is_answered(talk: Conversation) -> None:
    talk.open(ANNA)
    talk.say("DATA")
    talk.delivery.held = True
    talk.send(b".\r\nNOOP\r\nQUI")
    talk.session.half_closed()
    assert not talk.peer.closed
    talk.delivery.release()
    assert bytes(talk.peer.sent).endswith(b"delivered as q0\r\n250 2.0.0 OK\r\n")
    assert talk.peer.closed


def test_a_half_close_inside_a_message_is_no_end_of_it(talk: Conversation) -> None:
    talk.open(ANNA)
    talk.say("DATA")
    talk.send(b"half\r\n.\r")
    talk.session.half_closed()
    assert talk.peer.closed
    assert talk.intake.aborted
    assert talk.intake.committed is None


def test_nothing_is_obeyed_after_quit(talk: Conversation) -> None:
    assert talk.codes("QUIT", "NOOP") == ["221 2.0.0"]
    assert talk.send(b"NOOP\r\n") == b""


def test_a_client_is_known_once_it_said_lhlo(talk: Conversation) -> None:
    assert not talk.session.signed_in()
    talk.say("LHLO a")
    assert talk.session.signed_in()


# --- bugs of ours -----------------------------------------------------------------------------------------------------


def failed_once(talk: Conversation) -> bool:
    return talk.peer.closed and [type(error) for error in talk.peer.failures] == [UnicodeEncodeError]


UNSPEAKABLE = Delivered("\udcff")  # no reply can be made of it


@pytest.mark.parametrize("held", [False, True], ids=["at once", "later"])
def test_a_bug_behind_a_delivery_ends_the_connection_and_says_nothing_was_delivered(
    talk: Conversation, held: bool
) -> None:
    """The harm: the MTA waited in silence, and a shutdown waited for a change that would never end."""
    talk.open(ANNA, BERT)
    talk.delivery.outcomes[ANNA.lower()] = UNSPEAKABLE
    talk.say("DATA")
    talk.delivery.held = held
    before = bytes(talk.peer.sent)
    talk.send(b"x\r\n.\r\n")
    talk.delivery.release()
    assert failed_once(talk)
    assert bytes(talk.peer.sent) == before
    assert not talk.session.updating()


def test_a_bug_behind_one_delivery_leaves_a_shutdown_waiting_for_the_others(talk: Conversation) -> None:
    talk.open(ANNA, BERT)
    talk.delivery.outcomes[ANNA.lower()] = UNSPEAKABLE
    talk.say("DATA")
    talk.delivery.held = True
    talk.send(b"x\r\n.\r\n")
    talk.delivery.release(0)
    assert failed_once(talk)
    assert talk.session.updating()
    talk.delivery.release()
    assert not talk.session.updating()


class Falling(FakeDelivery):
    """A delivery that cannot even be asked."""

    def recipient(self, address: str, octets: int | None, done: Done[Recipient]) -> None:
        raise ZeroDivisionError


def test_a_bug_behind_a_question_ends_the_connection_and_nothing_is_obeyed_behind_it() -> None:
    talk = Conversation(delivery=Falling())
    talk.say("LHLO a")
    assert talk.codes("MAIL FROM:<>", f"RCPT TO:<{ANNA}>", "NOOP") == ["250 2.1.0"]
    assert [type(error) for error in talk.peer.failures] == [ZeroDivisionError]


def test_a_bug_behind_an_answer_about_a_recipient_ends_the_connection(talk: Conversation) -> None:
    talk.delivery.add(ANNA)
    talk.say("LHLO a", "MAIL FROM:<>")
    talk.delivery.held = True
    talk.say(f"RCPT TO:<{ANNA}>")
    (answer,) = talk.delivery.waiting
    answer()
    answer()  # a store must not do that
    assert talk.peer.closed
    assert [type(error) for error in talk.peer.failures] == [IndexError]


def test_a_second_answer_for_a_recipient_changes_nothing(talk: Conversation) -> None:
    talk.open(ANNA, BERT)
    talk.say("DATA")
    talk.delivery.held = True
    talk.send(b"x\r\n.\r\n")
    first, second = talk.delivery.waiting
    first()
    first()
    second()
    first()
    assert bytes(talk.peer.sent).endswith(b"\r\n250 2.0.0 delivered as q0\r\n250 2.0.0 delivered as q1\r\n")
    assert talk.codes("NOOP") == ["250 2.0.0"]


# --- everything else ------------------------------------------------------------------------------------------------

PARTS = st.sampled_from(
    [
        b"LHLO a\r\n", b"MAIL FROM:<s@example.net>\r\n", b"MAIL FROM:<> SIZE=5\r\n", b"RCPT TO:<bert@example.org>\r\n",
        b"RCPT TO:<nobody@example.org>\r\n", b"DATA\r\n", b".\r\n", b"\r\n.\r\n", b"BDAT 3\r\nabc",
        b"BDAT 2 LAST\r\n.\n", b"BDAT 0 LAST\r\n", b"RSET\r\n", b"NOOP\r\n", b"\n", b"\r", b"x", b"\x00", b"\xff",
        b"BDAT 9999\r\n",
    ]
)  # fmt: skip


@given(st.lists(PARTS | st.binary(max_size=20), max_size=30), st.lists(st.integers(1, 9), max_size=40))
def test_whatever_is_sent_each_message_ends_once_and_replies_do_not_depend_on_the_cuts(
    parts: list[bytes], steps: list[int]
) -> None:
    """Invariant: never an exception; only well-formed replies; an intake is committed, forgotten or open, never two of
    them; what is committed is in wire form; and cutting the octets elsewhere changes nothing."""
    stream = b"".join(parts)
    whole, cut = Conversation(delivery=_known()), Conversation(delivery=_known())
    whole.send(stream)
    start = 0
    for step in steps:
        cut.send(stream[start : start + step])
        start += step
    cut.send(stream[start:])
    assert whole.peer.sent == cut.peer.sent
    assert [intake.wire for intake in whole.delivery.intakes] == [intake.wire for intake in cut.delivery.intakes]
    assert re.fullmatch(rb"(?:[2-5]\d\d[ -][ -~]*\r\n)+", bytes(whole.peer.sent))
    for intake in whole.delivery.intakes:
        assert not (intake.aborted and intake.committed)
        if intake.committed:
            assert intake.committed[1] == len((b"\r\n" + intake.wire).replace(b"\r\n..", b"\r\n.")) - 2
            assert not re.search(rb"(?<!\r)\n|\r(?!\n)|(?:^|\r\n)\.(?!\.)", intake.wire)


def _known() -> FakeDelivery:
    delivery = FakeDelivery()
    delivery.add(BERT)
    delivery.outcomes[BERT] = Delivered("q")
    return delivery
