"""SASL: PLAIN and LOGIN, by initial response and by challenge, broken in every way a client or an attacker can."""

from __future__ import annotations

from base64 import b64encode

import pytest

from mailstore.pop3.commands import SASL_LINE_OCTETS
from tests.fakes.pop3 import Conversation
from tests.pop3.transcript_setup import MESSAGES


def encoded(*parts: str | bytes) -> str:
    return b64encode(b"\0".join(part if isinstance(part, bytes) else part.encode() for part in parts)).decode()


GOOD = encoded("", "anna@example.org", "secret")
NOT_BASE64 = ["=AAA", "AAA=BBB", "AA==AAAA", "AAAA!!!!", f"{GOOD} ", "A", "AA", "AAAA=", "AAAA====", "AB==", "é", "=="]


@pytest.mark.req("P-155")
@pytest.mark.req("P-143")
def test_plain_signs_in_with_an_initial_response() -> None:
    talk = Conversation(*MESSAGES)
    assert talk.say(f"AUTH PLAIN {GOOD}") == "+OK 3 messages (106 octets)\r\n"
    assert talk.end().mechanism == "PLAIN"


@pytest.mark.req("P-141")
@pytest.mark.req("P-151")
def test_plain_signs_in_after_an_empty_challenge_of_plus_and_blank() -> None:
    talk = Conversation(*MESSAGES)
    assert talk.send(b"AUTH PLAIN\r\n") == b"+ \r\n"
    assert talk.say(GOOD) == "+OK 3 messages (106 octets)\r\n"


@pytest.mark.req("P-142")
@pytest.mark.req("P-144")
@pytest.mark.req("P-158")
@pytest.mark.parametrize("initial", [True, False])
def test_login_asks_twice_and_takes_the_name_as_initial_response(initial: bool) -> None:
    talk = Conversation(*MESSAGES)
    name = encoded("anna@example.org")
    if initial:
        assert talk.say(f"AUTH LOGIN {name}") == "+ UGFzc3dvcmQ6\r\n"
    else:
        assert talk.say("AUTH LOGIN") == "+ VXNlcm5hbWU6\r\n"
        assert talk.say(name) == "+ UGFzc3dvcmQ6\r\n"
    assert talk.say(encoded("secret")).startswith("+OK")
    assert talk.end().mechanism == "LOGIN"


@pytest.mark.req("P-140")
@pytest.mark.parametrize("mechanism", ["NTLM", "GSSAPI", "FOO", "X" * 64, "X" * 200, "é"])
def test_an_unknown_mechanism_is_refused_without_a_code_and_never_counted(mechanism: str) -> None:
    talk = Conversation(*MESSAGES)
    for _ in range(30):
        assert talk.say(f"AUTH {mechanism}") == "-ERR this mechanism is not offered here\r\n"
    assert not talk.peer.closed
    assert talk.accounts.asked == []


@pytest.mark.req("P-145")
@pytest.mark.parametrize(
    "lines",
    [["AUTH PLAIN"], ["AUTH LOGIN"], ["AUTH LOGIN", encoded("anna@example.org")], [f"AUTH LOGIN {encoded('a')}"]],
)
def test_a_star_cancels_at_every_step(lines: list[str]) -> None:
    talk = Conversation(*MESSAGES)
    for line in lines:
        assert talk.say(line).startswith("+ ")
    assert talk.say("*") == "-ERR sign-in cancelled\r\n"
    assert talk.accounts.asked == []
    assert talk.sign_in().startswith("+OK")


@pytest.mark.req("P-146")
@pytest.mark.parametrize("response", NOT_BASE64)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_what_is_not_strict_base64_is_refused_and_asks_nobody(mechanism: str, response: str) -> None:
    by_initial, by_challenge = Conversation(*MESSAGES), Conversation(*MESSAGES)
    assert by_initial.say(f"AUTH {mechanism} {response}") == "-ERR the response is not well-formed\r\n"
    by_challenge.say(f"AUTH {mechanism}")
    assert by_challenge.say(response) == "-ERR the response is not well-formed\r\n"
    for talk in (by_initial, by_challenge):
        assert talk.accounts.asked == []
        assert talk.say(f"AUTH PLAIN {GOOD}").startswith("+OK")


@pytest.mark.req("P-146")
@pytest.mark.parametrize("data", [b"AAAA\tAAAA", b"\xff\xff\xff\xff", b"AAAA\0"])
def test_octets_outside_the_alphabet_are_refused(data: bytes) -> None:
    talk = Conversation()
    talk.say("AUTH PLAIN")
    assert talk.send(data + b"\r\n") == b"-ERR the response is not well-formed\r\n"


@pytest.mark.req("P-143")
@pytest.mark.req("P-152")
@pytest.mark.parametrize("lines", [["AUTH PLAIN ="], ["AUTH PLAIN", ""], ["AUTH LOGIN ="], ["AUTH LOGIN", ""]])
def test_an_empty_response_is_read_as_empty_and_is_no_sign_in(lines: list[str]) -> None:
    talk = Conversation()
    replies = [talk.say(line) for line in lines]
    assert replies[-1] == "-ERR the response is not well-formed\r\n"
    assert talk.accounts.asked == []


@pytest.mark.req("P-157")
@pytest.mark.parametrize(
    "response",
    [
        encoded("secret"),
        encoded("anna@example.org", "secret"),
        encoded("", "anna@example.org", "secret", "more"),
        encoded("", "", "secret"),
        encoded("", "anna@example.org", ""),
        encoded("", " ", "secret"),
        encoded("\x1b", "anna@example.org", "secret"),
        encoded("", "anna\r\n@example.org", "secret"),
        encoded("", "anna@example.org", "sec\x1bret"),
    ],
)
def test_plain_wants_two_nuls_a_name_and_a_password_without_controls(response: str) -> None:
    talk = Conversation()
    assert talk.say(f"AUTH PLAIN {response}") == "-ERR the response is not well-formed\r\n"
    assert talk.accounts.asked == []


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["AUTH PLAIN !!!!"], ""),
        (["AUTH PLAIN", "AAAA=BBB"], ""),
        ([f"AUTH PLAIN {encoded('anna@example.org', 'secret')}"], ""),
        ([f"AUTH PLAIN {encoded('', 'anna@example.org', '')}"], "anna@example.org"),
        ([f"AUTH PLAIN {encoded('', 'anna@example.org', 'sec' + chr(27))}"], "anna@example.org"),
        ([f"AUTH LOGIN {encoded(chr(27))}"], ""),
        ([f"AUTH LOGIN {encoded('anna@example.org')}", "!!!!"], "anna@example.org"),
        ([f"AUTH LOGIN {encoded('anna@example.org')}", ""], "anna@example.org"),
    ],
)
def test_a_malformed_response_leaves_a_trace_with_the_name_if_there_is_one(lines: list[str], name: str) -> None:
    talk = Conversation()
    for line in lines:
        talk.say(line)
    mechanism = lines[0].split()[1]
    cause = "Malformed: the response is not well-formed"
    assert talk.journal.sign_ins_refused == [("192.0.2.7", None, name, mechanism, cause)]
    assert [address for address, _client, _tls in talk.accounts.malformed] == [name] * bool(name)


def test_a_response_that_is_too_long_leaves_a_trace() -> None:
    talk = Conversation()
    talk.say(f"AUTH LOGIN {encoded('anna@example.org')}")
    talk.send(b"A" * 65536)
    cause = "Malformed: the response is too long"
    assert talk.journal.sign_ins_refused == [("192.0.2.7", None, "anna@example.org", "LOGIN", cause)]


def test_a_cancelled_exchange_is_no_refused_sign_in() -> None:
    talk = Conversation()
    talk.say("AUTH LOGIN")
    talk.say("*")
    assert talk.journal.sign_ins_refused == []


@pytest.mark.req("P-149")
@pytest.mark.req("P-150")
@pytest.mark.req("P-157")
@pytest.mark.parametrize("data", [4096, 8192])
@pytest.mark.parametrize("form", ["AUTH PLAIN {}", "AUTH PLAIN\r\n{}"])
def test_a_response_may_be_far_longer_than_a_command(form: str, data: int) -> None:
    talk = Conversation()
    secret = "s" * data
    talk.accounts.add("anna@example.org", secret, talk.maildrop)
    assert "+OK 0 messages" in talk.say(form.format(encoded("", "anna@example.org", secret)))


@pytest.mark.req("P-149")
@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_a_response_above_the_bound_ends_the_conversation_after_one_reply(end: bytes) -> None:
    talk = Conversation()
    talk.say("AUTH PLAIN")
    assert talk.send(b"A" * 65536 + end) == b"-ERR the response is too long\r\n"
    assert talk.peer.closed
    assert SASL_LINE_OCTETS < 65536


@pytest.mark.req("P-148")
@pytest.mark.parametrize(
    "spoiler", [["AUTH PLAIN", "*"], ["AUTH PLAIN !!!!"], ["AUTH NTLM"], [f"AUTH PLAIN {encoded('', 'x@y.z', 'w')}"]]
)
def test_a_failed_exchange_leaves_a_pending_user_name(spoiler: list[str]) -> None:
    talk = Conversation(*MESSAGES)
    talk.say("USER anna@example.org")
    for line in spoiler:
        talk.say(line)
    assert talk.say("PASS secret").startswith("+OK")


@pytest.mark.req("P-154")
@pytest.mark.parametrize("identity", ["anna@example.org", "ANNA@Example.ORG"])
def test_an_authorization_identity_may_repeat_the_user(identity: str) -> None:
    talk = Conversation(*MESSAGES)
    assert talk.say(f"AUTH PLAIN {encoded(identity, 'anna@example.org', 'secret')}").startswith("+OK")


@pytest.mark.req("P-154")
@pytest.mark.parametrize("secret", ["secret", "wrong"])
@pytest.mark.parametrize("identity", ["bruno@example.org", "bruno", "anna"])
def test_nobody_acts_for_another_and_the_refusal_tells_nothing(identity: str, secret: str) -> None:
    talk, wrong = Conversation(*MESSAGES), Conversation(*MESSAGES)
    talk.accounts.add("bruno@example.org", "secret", talk.maildrop)
    refusal = talk.say(f"AUTH PLAIN {encoded(identity, 'anna@example.org', secret)}")
    assert refusal == wrong.sign_in("wrong") == "-ERR [AUTH] wrong user name or password\r\n"
    # One attempt, so the same cost; in the name of neither, so no counter of theirs moves.
    (asked,) = talk.accounts.asked
    assert asked.address not in {"anna@example.org", identity}
    assert " " in asked.address


@pytest.mark.req("P-153")
def test_a_disconnect_in_the_middle_of_an_exchange_is_no_sign_in() -> None:
    talk = Conversation(*MESSAGES)
    talk.say("AUTH LOGIN")
    talk.say(encoded("anna@example.org"))
    talk.session.half_closed()
    record = talk.end()
    assert talk.accounts.asked == []
    assert (record.address, record.mechanism) == (None, None)


@pytest.mark.req("P-147")
def test_one_clients_garbage_does_not_touch_anothers_exchange() -> None:
    talks = [Conversation(*MESSAGES) for _ in range(100)]
    for talk in talks:
        talk.say("AUTH PLAIN")
    talks[50].say("!!!!")
    assert sum(talk.say(GOOD).startswith("+OK") for talk in talks) == 99


@pytest.mark.req("P-156")
@pytest.mark.parametrize("line", ["AUTH", "AUTH "])
def test_a_bare_auth_lists_the_mechanisms(line: str) -> None:
    assert Conversation().say(line) == "+OK mechanisms follow\r\nPLAIN\r\nLOGIN\r\n.\r\n"
