"""Which command is legal in which state, and where a password may pass in clear."""

from __future__ import annotations

import pytest

from mailstore.pop3.protocol import Rules, State
from mailstore.pop3.session import COMMANDS
from tests.fakes.pop3 import Conversation, FakePeer
from tests.pop3.transcript_setup import MESSAGES, signed_in

# RFC 1939 §4, §5, §7; RFC 2449 §5; RFC 2595 §4; RFC 5034 §4: said here once more, from the texts.
BEFORE = {"USER x", "PASS x", "AUTH PLAIN", "STLS"}
AFTER = {"STAT", "LIST", "LIST 1", "RETR 1", "DELE 1", "NOOP", "RSET", "TOP 1 0", "UIDL", "UIDL 1"}
ALWAYS = {"CAPA", "UTF8", "QUIT"}


@pytest.mark.req("P-011")
@pytest.mark.parametrize("line", sorted(AFTER))
def test_a_command_of_transaction_is_refused_before_sign_in(line: str) -> None:
    talk = Conversation(*MESSAGES)
    assert talk.say(line) == "-ERR sign in first\r\n"
    assert not talk.peer.closed
    assert talk.sign_in().startswith("+OK")


@pytest.mark.req("P-011")
@pytest.mark.req("P-030")
@pytest.mark.req("P-124")
@pytest.mark.req("P-138")
@pytest.mark.parametrize("line", sorted(BEFORE))
@pytest.mark.parametrize("encrypted", [True, False])
def test_a_command_of_authorization_is_refused_after_sign_in(line: str, encrypted: bool) -> None:
    talk = signed_in(peer=FakePeer(encrypted=True))
    talk.peer.encrypted = encrypted
    asked = len(talk.accounts.asked)
    assert talk.say(line) == "-ERR you are signed in already\r\n"
    assert len(talk.accounts.asked) == asked
    assert not talk.peer.upgrading
    assert talk.say("STAT") == "+OK 3 106\r\n"


@pytest.mark.req("P-011")
@pytest.mark.req("P-100")
@pytest.mark.parametrize("line", sorted(ALWAYS))
def test_capa_utf8_and_quit_are_obeyed_in_both_states(line: str) -> None:
    assert Conversation().say(line).startswith("+OK")
    assert signed_in().say(line).startswith("+OK")


def test_nothing_is_legal_once_messages_are_being_removed() -> None:
    assert COMMANDS[State.UPDATE] == {}


@pytest.mark.req("P-036")
@pytest.mark.parametrize(
    ("plaintext_login", "encrypted", "loopback", "passes"),
    [
        ("never", False, False, False),
        ("never", False, True, False),
        ("never", True, False, True),
        ("loopback", False, False, False),
        ("loopback", False, True, True),
        ("loopback", True, False, True),
        ("always", False, False, True),
    ],
)
def test_a_password_passes_in_clear_only_where_the_rules_say_so(
    plaintext_login: str, encrypted: bool, loopback: bool, passes: bool
) -> None:
    rules = Rules(plaintext_login, tls_offered=True)
    assert rules.password_may_pass(encrypted=encrypted, loopback=loopback) is passes
