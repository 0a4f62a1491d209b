"""The session with an MTA: outages, several sign-ins at once, clients that vanish, and lines that are none."""

from __future__ import annotations

from base64 import b64encode

import pytest

from mailstore.errors import Abandoned, MailError, Overloaded, Throttled, Unavailable
from mailstore.ports import Credentials
from mailstore.sasl.commands import LINE_OCTETS, escaped
from mailstore.sasl.protocol import Rules
from tests.fakes.sasl import HELLO, RULES, Conversation


def plain(request_id: int, secret: str = "secret", name: str = "anna@example.org", more: str = "") -> bytes:
    response = b64encode(f"\0{name}\0{secret}".encode()).decode()
    return f"AUTH\t{request_id}\tPLAIN\tservice=smtp{more}\tresp={response}\n".encode()


@pytest.fixture
def talk() -> Conversation:
    made = Conversation()
    assert made.send(HELLO) == b""
    return made


def test_the_greeting_is_sent_before_the_client_says_a_word() -> None:
    assert bytes(Conversation().peer.sent).endswith(b"DONE\n")


@pytest.mark.parametrize("error", [Unavailable("away"), Overloaded("busy"), Throttled("guesser"), MailError("a bug")])
def test_trouble_of_ours_is_never_told_as_a_wrong_password(talk: Conversation, error: MailError) -> None:
    talk.senders.error = error
    assert talk.send(plain(1)) == b""
    assert talk.peer.closed


def test_the_address_of_the_client_and_its_tls_come_from_the_mta(talk: Conversation) -> None:
    talk.send(plain(1, more="\trip=198.51.100.9\tsecured"))
    talk.send(plain(2, more="\trip=::1"))
    talk.send(plain(3, more="\trip=not an address"))
    assert talk.senders.asked == [
        Credentials("anna@example.org", "secret", "198.51.100.9", loopback=False, tls="TLS"),
        Credentials("anna@example.org", "secret", "::1", loopback=True),
        Credentials("anna@example.org", "secret", "unix", loopback=True),
    ]


def test_sign_ins_at_the_same_time_are_answered_as_they_are_checked(talk: Conversation) -> None:
    talk.senders.answers.held = True
    assert talk.send(plain(1, "wrong") + plain(2)) == b""
    assert talk.session.signed_in()
    talk.senders.answers.held = False
    assert talk.send(plain(3)) == b"OK\t3\tuser=anna@example.org\n"
    assert [line.split(b"\t")[:2] for line in talk.release().splitlines()] == [[b"FAIL", b"1"], [b"OK", b"2"]]
    assert not talk.session.signed_in()


def test_too_many_checks_wait_for_the_first_answer() -> None:
    talk = Conversation(rules=Rules(RULES.login_names, max_checks=2))
    talk.senders.answers.held = True
    talk.send(HELLO + plain(1) + plain(2) + plain(3))
    assert len(talk.senders.asked) == 2
    talk.release()
    assert len(talk.senders.asked) == 3


def test_exchanges_that_were_given_up_are_forgotten_the_oldest_first() -> None:
    talk = Conversation(rules=Rules(RULES.login_names, max_exchanges=2))
    talk.send(HELLO)
    for number in (1, 2):
        assert talk.send(b"AUTH\t%d\tPLAIN\tservice=smtp\n" % number) == b"CONT\t%d\t\n" % number
    assert talk.send(b"AUTH\t3\tPLAIN\tservice=smtp\n").startswith(b"FAIL\t1\t")


def test_a_check_is_left_out_when_the_mta_hangs_up_or_cancels(talk: Conversation) -> None:
    talk.senders.answers.held = True
    talk.send(plain(1) + plain(2))
    assert talk.send(b"CANCEL\t1\n") == b"FAIL\t1\tuser=anna@example.org\treason=the sign-in was given up\n"
    talk.session.ended("lost", 0, 0)
    assert talk.senders.answers.outstanding == 0
    assert [cause.partition(":")[0] for *_rest, cause in talk.journal.sign_ins_refused] == [Abandoned.__name__] * 2


def test_a_half_closed_connection_gets_its_answers_first(talk: Conversation) -> None:
    talk.senders.answers.held = True
    talk.send(plain(1))
    talk.session.half_closed()
    assert not talk.peer.closed
    assert talk.release() == b"OK\t1\tuser=anna@example.org\n"
    assert talk.peer.closed


@pytest.mark.parametrize(
    "line",
    [
        b"AUTH\t1\tPLAIN",  # before the version
        b"VERSION\t2\t0",
        b"VERSION\tone\t0",
        HELLO + b"AUTH\tone\tPLAIN",
        HELLO + b"AUTH\t0\tPLAIN",
        HELLO + b"AUTH\t12345678901\tPLAIN",
        HELLO + b"AUTH\t1",
        HELLO + b"CONT\t1",
        HELLO + b"AUTH\t1\tLOGIN\nAUTH\t1\tLOGIN",
        HELLO + b"x" * LINE_OCTETS,
        b"\x16\x03\x01\n" * 20,
    ],
)
def test_what_is_not_the_protocol_ends_the_connection(line: bytes) -> None:
    talk = Conversation()
    talk.send(line + b"\n")
    assert talk.peer.closed
    assert talk.peer.failures == []
    assert talk.senders.asked == []


def test_a_name_cannot_forge_a_field() -> None:
    assert escaped("a\tb\nc\rd\0e\x01f") == b"a\x01tb\x01nc\x01rd\x010e\x011f"
