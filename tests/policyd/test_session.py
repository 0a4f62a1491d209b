"""The session of the policy service: outages, pipelines, clients that vanish, and lines that are none."""

from __future__ import annotations

import pytest

from mailstore.errors import MailError, Overloaded, QuotaDeferred, SendingLimitReached, Unavailable, UnknownRecipient
from mailstore.policyd.commands import ATTRIBUTES_MOST, LINE_OCTETS
from tests.fakes.policyd import Conversation

DUNNO = b"action=DUNNO\n\n"


def rcpt(address: str, size: str = "0") -> bytes:
    return (f"request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient={address}\nsize={size}\n\n").encode()


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


@pytest.mark.parametrize("error", [Unavailable("away"), Overloaded("busy"), MailError("a bug")])
def test_trouble_of_ours_is_no_objection_and_the_next_request_is_answered(talk: Conversation, error: MailError) -> None:
    talk.gatekeeper.error = error
    assert talk.send(rcpt("ann@example.org")) == DUNNO
    assert [cause for cause, _doing in talk.journal.troubles] == ([] if type(error) is Unavailable else [error])
    assert talk.send(rcpt("ann@example.org")) == DUNNO


def test_a_refusal_is_traced_with_what_the_mta_tells_and_an_approval_is_not(talk: Conversation) -> None:
    talk.gatekeeper.recipients = {"full@example.org": QuotaDeferred("full", mailboxes=(7,))}
    told = "sender=s@example.net\nclient_name=unknown\nclient_address=203.0.113.9\nqueue_id=4XyzA1B2c3\n"
    for address in ("ann@example.org", "full@example.org"):
        talk.send(told.encode() + rcpt(address, "2048"))
    [answer] = talk.trace.answers
    assert (answer.source, answer.sender, answer.recipient) == ("policy", "s@example.net", "full@example.org")
    assert (answer.reply, answer.announced_octets) == ("452 4.2.2 the mailbox is full, try again later", 2048)
    assert (answer.marks.origin, answer.marks.mta_id) == ("203.0.113.9", "4XyzA1B2c3")
    assert answer.outcome is talk.gatekeeper.recipients["full@example.org"]


def test_trouble_of_ours_and_a_user_who_may_not_send_are_not_traced_as_refusals(talk: Conversation) -> None:
    talk.gatekeeper.error = Unavailable("away")
    talk.send(rcpt("ann@example.org"))
    talk.gatekeeper.error = SendingLimitReached("busy")
    end = b"request=smtpd_access_policy\nprotocol_state=END-OF-MESSAGE\nsasl_username=busy@example.org\n\n"
    assert talk.send(end).startswith(b"action=450")
    assert talk.trace.answers == []


@pytest.mark.parametrize("queue_id", ["", "x" * 65, "4Xyz;DROP", "\0abc"])
def test_a_queue_id_that_is_none_is_left_out(talk: Conversation, queue_id: str) -> None:
    talk.gatekeeper.error = UnknownRecipient("nobody")
    talk.send(f"queue_id={queue_id}\n".encode() + rcpt("nobody@example.org"))
    assert [answer.marks.mta_id for answer in talk.trace.answers] == [""]


@pytest.mark.parametrize(
    ("size", "octets"),
    [("0", None), ("2048", 2048), ("", None), ("-1", None), ("1e9", None), ("9" * 40, None)],
)
def test_a_size_counts_if_it_is_one(talk: Conversation, size: str, octets: int | None) -> None:
    talk.send(rcpt("ann@example.org", size))
    assert talk.gatekeeper.asked == [("ann@example.org", octets)]


def test_requests_that_come_together_are_answered_one_after_the_other(talk: Conversation) -> None:
    talk.gatekeeper.recipients = {"ann@example.org": None, "bob@example.org": None}
    talk.gatekeeper.answers.held = True
    assert talk.send(rcpt("ann@example.org") + rcpt("bob@example.org")) == b""
    assert talk.gatekeeper.asked == [("ann@example.org", None)]
    assert talk.session.signed_in()
    assert talk.release() == DUNNO
    assert talk.release() == DUNNO
    assert not talk.session.signed_in()


def test_a_client_that_half_closes_gets_its_answer_first(talk: Conversation) -> None:
    # Exim's readsocket does so.
    talk.gatekeeper.answers.held = True
    talk.send(rcpt("ann@example.org"))
    talk.session.half_closed()
    assert not talk.peer.closed
    assert talk.release() == DUNNO
    assert talk.peer.closed


def test_an_answer_that_comes_after_the_end_is_dropped(talk: Conversation) -> None:
    talk.gatekeeper.answers.held = True
    talk.send(rcpt("ann@example.org"))
    talk.session.ended("lost", 0, 0)
    assert talk.release() == b""


@pytest.mark.parametrize(
    "data",
    [
        b"request\n",
        b"=value\n",
        b"\x16\x03\x01\n",
        b"recipient=" + b"x" * LINE_OCTETS,
        b"a=b\n" * (ATTRIBUTES_MOST + 1),
    ],
)
def test_what_is_no_request_ends_the_connection(talk: Conversation, data: bytes) -> None:
    assert talk.send(data) == b""
    assert talk.peer.closed
    assert talk.peer.failures == []
