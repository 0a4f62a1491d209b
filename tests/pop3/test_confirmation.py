"""Which messages a device has: sent whole by RETR, and the client went on after them (PRODUCT, "Confirmed")."""

from __future__ import annotations

import pytest

from mailstore.ports import Handled
from tests.fakes.pop3 import Conversation
from tests.pop3.transcript_setup import signed_in


def handled(talk: Conversation, reason: str = "lost") -> Handled:
    talk.end(reason)
    ((_, handled),) = talk.maildrop.ends
    return handled


def had(talk: Conversation, reason: str = "lost") -> list[int]:
    """The numbers that the client has for certain."""
    summary = handled(talk, reason)
    return list(summary.fetched[: summary.confirmed])


@pytest.mark.parametrize("after", ["NOOP", "STAT", "RETR 2", "TOP 2 0", "DELE 1", "RSET", "CAPA", "FOO", "RETR 99", ""])
def test_a_client_that_goes_on_has_what_was_sent_before(after: str) -> None:
    talk = signed_in()
    talk.say("RETR 1")
    talk.say(after)
    assert had(talk) == [1]


def test_a_line_that_drops_after_a_message_confirms_the_earlier_ones_alone() -> None:
    talk = signed_in()
    for number in (1, 3, 2):
        talk.say(f"RETR {number}")
    summary = handled(talk)
    assert summary == Handled(fetched=[1, 3, 2], confirmed=2, removed=())


def test_quit_confirms_the_last_message_too() -> None:
    talk = signed_in()
    for line in ("RETR 1", "RETR 2", "QUIT"):
        talk.say(line)
    assert had(talk, "closed") == [1, 2]


def test_half_a_command_is_none() -> None:
    talk = signed_in()
    talk.say("RETR 1")
    talk.send(b"NOO")
    assert had(talk) == []


@pytest.mark.parametrize("lines", ["0", "2147483647"])
def test_top_never_counts_however_much_of_the_message_it_sends(lines: str) -> None:
    talk = signed_in()
    for line in (f"TOP 1 {lines}", "UIDL", "QUIT"):
        talk.say(line)
    assert handled(talk, "closed") == Handled(fetched=[], confirmed=0, removed=())


def test_commands_that_were_sent_before_a_message_do_not_say_that_it_came() -> None:
    """The harm: a pipelining client whose line drops would be said to have a hundred messages it never saw."""
    talk = signed_in()
    talk.send(b"RETR 1\r\nRETR 2\r\nNOOP\r\n")
    assert handled(talk) == Handled(fetched=[1, 2], confirmed=0, removed=())


def test_a_pipelining_client_has_what_was_sent_before_it_went_on() -> None:
    talk = signed_in()
    talk.send(b"RETR 1\r\nRETR 2\r\n")
    talk.send(b"RETR 3\r\n")
    assert had(talk) == [1, 2]


def test_a_message_that_is_still_being_sent_is_not_had() -> None:
    talk = signed_in()
    talk.say("RETR 1")
    talk.peer.slow = True
    talk.say("RETR 2")
    talk.say("NOOP")
    assert had(talk) == [1]


def test_a_message_that_broke_off_is_not_had() -> None:
    talk = signed_in()
    talk.peer.slow = True
    talk.say("RETR 1")
    assert handled(talk).fetched == []


def test_what_quit_removed_is_told_by_number() -> None:
    talk = signed_in()
    for line in ("DELE 3", "RETR 2", "DELE 2", "RSET", "DELE 3", "DELE 1", "QUIT"):
        talk.say(line)
    assert handled(talk, "closed").removed == [1, 3]


def test_marks_without_quit_are_no_removal() -> None:
    talk = signed_in()
    talk.say("DELE 1")
    assert handled(talk).removed == ()


def test_a_client_that_leaves_while_its_quit_is_obeyed_has_everything_and_is_told_of_once() -> None:
    talk = signed_in()
    talk.say("RETR 1")
    talk.say("DELE 2")
    talk.maildrop.answers.held = True
    talk.say("QUIT")
    talk.session.ended("lost", 50, 60)
    assert talk.maildrop.ends == []
    talk.maildrop.answers.release()
    assert [summary for _, summary in talk.maildrop.ends] == [Handled(fetched=[1], confirmed=1, removed=[2])]


def test_nothing_is_told_of_who_never_signed_in() -> None:
    talk = Conversation()
    talk.say("QUIT")
    talk.end("closed")
    assert talk.maildrop.ends == []


# --- a device that may no more ------------------------------------------------------------------------------------


def test_a_barred_device_is_cut_off_in_silence_and_nothing_is_removed() -> None:
    talk = signed_in()
    talk.say("RETR 1")
    talk.say("DELE 1")
    sent = len(talk.peer.sent)
    talk.maildrop.bar()
    assert talk.peer.was_cut
    assert len(talk.peer.sent) == sent
    assert talk.say("QUIT") == ""
    assert talk.maildrop.removed == []
    assert [record.reason for record, _ in talk.maildrop.ends] == ["barred"]


def test_a_removal_under_way_has_its_answer_also_when_the_device_is_barred_meanwhile() -> None:
    talk = signed_in()
    talk.say("DELE 1")
    talk.maildrop.answers.held = True
    talk.say("QUIT")
    talk.maildrop.bar()
    assert not talk.peer.was_cut
    talk.maildrop.answers.release()
    assert talk.peer.sent.endswith(b"+OK goodbye\r\n")


# --- what is not carried out --------------------------------------------------------------------------------------


def test_messages_that_were_marked_in_a_session_without_quit_are_counted_as_not_removed() -> None:
    talk = signed_in()
    for line in ("RETR 1", "DELE 1", "DELE 2"):
        talk.say(line)
    summary = handled(talk)
    assert (summary.removed, summary.unremoved) == ((), 2)


def test_marks_that_rset_took_back_are_not_counted() -> None:
    talk = signed_in()
    for line in ("DELE 1", "RSET"):
        talk.say(line)
    assert handled(talk).unremoved == 0


def test_a_quit_leaves_nothing_that_is_not_removed() -> None:
    talk = signed_in()
    for line in ("DELE 1", "QUIT"):
        talk.say(line)
    summary = handled(talk, "closed")
    assert (list(summary.removed), summary.unremoved) == ([1], 0)


@pytest.mark.parametrize(
    ("line", "listed"),
    [
        ("STAT", True),
        ("LIST", True),
        ("UIDL 1", True),
        ("TOP 1 0", True),
        ("RETR 1", True),
        ("NOOP", False),
        ("CAPA", False),
    ],
)
def test_a_session_has_listed_once_it_asked_about_messages(line: str, listed: bool) -> None:
    talk = signed_in()
    talk.say(line)
    assert handled(talk).listed is listed
