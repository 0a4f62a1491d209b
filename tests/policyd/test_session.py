"""The session of the policy service: outages, pipelines, clients that vanish, and lines that are none."""

from __future__ import annotations

import pytest

from mailstore.errors import MailError, Overloaded, Unavailable
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
