"""Before sign-in: greeting, USER and PASS, what is refused in clear, STLS, and what CAPA says about it."""

from __future__ import annotations

from base64 import b64encode

import pytest

from mailstore.errors import (
    Abandoned,
    BadCredentials,
    MailError,
    MainPasswordBarred,
    Overloaded,
    PopSwitchedOff,
    Throttled,
    Unavailable,
)
from mailstore.pop3.protocol import Rules
from mailstore.ports import WrongStart
from tests.fakes.pop3 import Conversation, FakeMaildrop, FakePeer
from tests.pop3.transcript_setup import MESSAGES, signed_in

PLAIN_ANNA = "AGFubmFAZXhhbXBsZS5vcmcAc2VjcmV0"  # NUL anna@example.org NUL secret


def in_clear(plaintext_login: str = "never", *, loopback: bool = False, tls_offered: bool = True) -> Conversation:
    rules = Rules(plaintext_login, tls_offered)
    return Conversation(*MESSAGES, peer=FakePeer(encrypted=False, loopback=loopback), rules=rules)


def capabilities(talk: Conversation) -> list[str]:
    return talk.say("CAPA").split("\r\n")[1:-2]


@pytest.mark.req("P-001")
@pytest.mark.req("P-002")
@pytest.mark.req("P-026")
@pytest.mark.req("P-041")
def test_the_server_speaks_first_one_line_and_then_waits() -> None:
    talk = Conversation()
    assert talk.peer.sent == b"+OK popadmin POP3 ready\r\n"
    assert b"<" not in talk.peer.sent
    assert not any("APOP" in line for line in capabilities(talk))
    assert talk.say("APOP anna@example.org c4c9334bac560ecc979e58001b3e22fb").startswith("-ERR ")


@pytest.mark.req("P-029")
@pytest.mark.parametrize("before", ["", "USER anna@example.org\r\n"])
def test_quit_before_sign_in_ends_without_removing(before: str) -> None:
    talk = Conversation(*MESSAGES)
    assert talk.send(f"{before}QUIT\r\n".encode()).endswith(b"+OK goodbye\r\n")
    assert talk.peer.closed
    assert not talk.session.signed_in()
    assert talk.end().reason == "quit"


@pytest.mark.req("P-030")
def test_a_new_user_replaces_the_earlier_one() -> None:
    talk = Conversation(*MESSAGES)
    talk.say("USER somebody@example.org")
    assert talk.sign_in().startswith("+OK")
    assert [asked.address for asked in talk.accounts.asked] == ["anna@example.org"]


@pytest.mark.req("P-031")
@pytest.mark.parametrize(
    "name", ["nobody@example.org", "../../etc/passwd", "a'OR'1'='1", "%{user}", "*", "@" * 240, "."]
)
def test_user_gets_the_same_answer_for_every_name_and_asks_nobody(name: str) -> None:
    talk = Conversation()
    assert talk.say(f"USER {name}") == talk.say("USER anna@example.org") == "+OK send PASS\r\n"
    assert talk.accounts.asked == []


@pytest.mark.req("P-039")
@pytest.mark.parametrize("name", ["../../etc/passwd", "a'OR'1'='1", "%{user}", "*", "@" * 240, "a@b@c", "."])
def test_odd_names_reach_the_accounts_as_they_are_and_fail_like_any_other(name: str) -> None:
    talk = Conversation()
    talk.say(f"USER {name}")
    assert talk.say("PASS secret") == "-ERR [AUTH] wrong user name or password\r\n"
    assert talk.accounts.asked[0].address == name


@pytest.mark.req("P-032")
def test_pass_without_user_is_refused_and_asks_nobody() -> None:
    talk = Conversation()
    assert talk.say("PASS secret").startswith("-ERR ")
    assert talk.accounts.asked == []


@pytest.mark.req("P-033")
@pytest.mark.parametrize("secret", ["a b", " lead", "trail ", "a  b", " "])
def test_the_password_arrives_with_all_its_blanks(secret: str) -> None:
    talk = Conversation()
    talk.accounts.add("anna@example.org", secret, talk.maildrop)
    assert talk.sign_in(secret).startswith("+OK")


@pytest.mark.req("P-034")
def test_a_wrong_password_leaves_authorization_where_user_is_needed_again() -> None:
    talk = Conversation(*MESSAGES)
    assert talk.sign_in("wrong") == "-ERR [AUTH] wrong user name or password\r\n"
    assert talk.say("PASS secret") == "-ERR send USER first\r\n"
    assert talk.say(f"AUTH PLAIN {PLAIN_ANNA}").startswith("+OK")


@pytest.mark.req("P-035")
def test_nothing_is_said_before_the_maildrop_is_open() -> None:
    talk = Conversation(*MESSAGES)
    talk.accounts.answers.held = True
    assert talk.sign_in() == ""
    assert not talk.session.signed_in()
    talk.accounts.answers.release()
    assert talk.session.signed_in()
    assert talk.peer.writes[-1] == b"+OK 3 messages (106 octets)\r\n"


@pytest.mark.req("P-110")
@pytest.mark.req("P-117")
@pytest.mark.req("P-118")
@pytest.mark.parametrize(
    ("error", "start"),
    [
        (BadCredentials, "-ERR [AUTH] "),
        (PopSwitchedOff, "-ERR [AUTH] "),
        (MainPasswordBarred, "-ERR [AUTH] "),
        (Throttled, "-ERR [LOGIN-DELAY] "),
        (Overloaded, "-ERR [SYS/TEMP] "),
        (Abandoned, "-ERR [SYS/TEMP] "),
        (Unavailable, "-ERR [SYS/TEMP] "),
    ],
)
def test_each_refusal_of_a_sign_in_has_its_code_and_the_session_lives_on(error: type[MailError], start: str) -> None:
    talk = Conversation(*MESSAGES)
    talk.accounts.error = error("the cause: disk 3, row 17")
    reply = talk.sign_in()
    assert reply.startswith(start)
    assert "row 17" not in reply
    talk.accounts.error = None
    assert talk.sign_in().startswith("+OK")


@pytest.mark.req("P-118")
def test_the_journal_hears_of_our_faults_and_not_of_wrong_passwords() -> None:
    talk = Conversation()
    for error in (BadCredentials("x"), Throttled("x"), PopSwitchedOff("x")):
        talk.accounts.error = error
        talk.sign_in()
    assert talk.journal.troubles == []
    talk.accounts.error = Unavailable("the database is away")
    talk.sign_in()
    assert talk.journal.troubles == [(talk.accounts.error, "signing in")]


@pytest.mark.parametrize("error", [BadCredentials, Throttled, PopSwitchedOff, MainPasswordBarred])
def test_every_refused_sign_in_leaves_a_trace_of_who_tried_what_without_the_secret(error: type[MailError]) -> None:
    talk = Conversation(peer=FakePeer(client="198.51.100.9"))
    talk.peer.proxy = "192.0.2.1"
    talk.accounts.error = error("the cause")
    talk.sign_in("a wrong secret")
    talk.say(f"AUTH PLAIN {PLAIN_ANNA}")
    who, cause = ("198.51.100.9", "192.0.2.1", "anna@example.org"), f"{error.__name__}: the cause"
    assert talk.journal.sign_ins_refused == [(*who, "USER", cause), (*who, "PLAIN", cause)]


def test_a_guesser_who_does_not_wait_for_the_refusal_leaves_a_trace_all_the_same() -> None:
    talk = Conversation()
    talk.accounts.answers.held = True
    talk.sign_in("guess")
    talk.end()
    assert [record[0] for record in talk.journal.sign_ins_refused] == ["192.0.2.7"]


def test_a_sign_in_whose_client_left_is_abandoned_and_leaves_a_trace() -> None:
    talk = Conversation()
    talk.accounts.answers.held = True
    talk.sign_in("guess")
    talk.end()
    assert talk.accounts.answers.outstanding == 0
    assert [record[-1] for record in talk.journal.sign_ins_refused] == ["Abandoned: the client left"]
    assert talk.journal.troubles == []


@pytest.mark.req("P-027")
@pytest.mark.parametrize("early", [False, True], ids=["while it waits", "with the last command"])
def test_a_sign_in_of_a_client_that_closed_its_side_lets_others_go_first(early: bool) -> None:
    talk = Conversation(*MESSAGES)
    talk.accounts.answers.held = True
    if early:
        talk.peer.full = True
    talk.send(b"USER anna@example.org\r\nPASS secret\r\n")
    talk.session.half_closed()
    talk.peer.full = False
    talk.session.proceed()
    assert [sign_in.gave_way for sign_in in talk.accounts.sign_ins] == [True]
    talk.accounts.answers.release()
    assert talk.peer.writes[-1] == b"+OK 3 messages (106 octets)\r\n"


def test_the_end_of_a_connection_abandons_no_sign_in_that_was_answered() -> None:
    talk = Conversation()
    talk.sign_in("wrong")
    talk.end()
    assert [record[-1] for record in talk.journal.sign_ins_refused] == [
        "BadCredentials: unknown user or wrong password",
    ]


def test_a_good_sign_in_and_a_fault_of_ours_are_no_refused_sign_in() -> None:
    talk = Conversation()
    talk.accounts.error = Unavailable("the database is away")
    talk.sign_in()
    talk.accounts.error = None
    talk.sign_in()
    assert talk.journal.sign_ins_refused == []


@pytest.mark.parametrize("data", [b"Caf\xe92026!xk", b"Caf\xc3\xa92026!xk", b"Cafe\xcc\x812026!xk"])
@pytest.mark.parametrize("how", ["USER", "PLAIN", "LOGIN"])
def test_a_password_opens_in_the_octets_of_any_program_with_one_attempt(how: str, data: bytes) -> None:
    """The harm: programs that send Windows-1252, or letters and accents apart, were refused without a trace."""
    for name in ("rené@example.org".encode(), b"ren\xe9@example.org", b"rene\xcc\x81@example.org"):
        lines = {
            "USER": [b"USER " + name, b"PASS " + data],
            "PLAIN": [b"AUTH PLAIN " + b64encode(b"\0" + name + b"\0" + data)],
            "LOGIN": [b"AUTH LOGIN " + b64encode(name), b64encode(data)],
        }[how]
        talk = Conversation(*MESSAGES)
        talk.accounts.add("rené@example.org", "Café2026!xk", talk.maildrop)
        replies = [talk.send(line + b"\r\n") for line in lines]
        assert replies[-1].startswith(b"+OK 3 messages")
        assert len(talk.accounts.asked) == 1


BLANKS = ["  anna@example.org", "anna@example.org ", "\u00a0anna@example.org\u00a0", "\u2003anna@example.org"]


@pytest.mark.parametrize("name", BLANKS)
@pytest.mark.parametrize("how", ["USER", "PLAIN", "PLAIN twice", "LOGIN"])
def test_blanks_around_a_name_are_no_part_of_it(how: str, name: str) -> None:
    talk = Conversation(*MESSAGES)
    if how == "USER":
        lines = [f"USER {name}", "PASS secret"]
    elif how == "LOGIN":
        lines = [f"AUTH LOGIN {b64encode(name.encode()).decode()}", b64encode(b"secret").decode()]
    else:
        parts = (name if how == "PLAIN twice" else "", name, "secret")
        lines = ["AUTH PLAIN " + b64encode("\0".join(parts).encode()).decode()]
    assert [talk.say(line) for line in lines][-1].startswith("+OK 3 messages")


def test_a_name_of_blanks_alone_is_none() -> None:
    assert Conversation().say("USER \u00a0 ").startswith("-ERR ")


# --- what cannot be read ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (b"PASS sec\x1bret", "PASS: CONTROL_OCTET"),
        (b"pass \0", "PASS: CONTROL_OCTET"),
        (b"PASS", "PASS: ARGUMENT"),
        (b"PASS " + b"x" * 600, "PASS: TOO_LONG"),
        (b"USER a\0b", "USER: CONTROL_OCTET"),
    ],
)
def test_a_password_that_cannot_be_read_leaves_a_trace_with_its_name(line: bytes, cause: str) -> None:
    talk = Conversation(peer=FakePeer(client="198.51.100.9"))
    talk.say("USER anna@example.org")
    assert talk.send(line + b"\r\n").startswith(b"-ERR ")
    trace = ("198.51.100.9", None, "anna@example.org", "USER", f"Malformed: {cause}")
    assert talk.journal.sign_ins_refused == [trace]
    assert talk.accounts.malformed == [("anna@example.org", "198.51.100.9", None)]
    assert talk.accounts.asked == []


def test_a_response_with_control_octets_leaves_a_trace() -> None:
    talk = Conversation()
    talk.send(b"AUTH PLAIN \0AAA\r\n")
    assert talk.journal.sign_ins_refused == [("192.0.2.7", None, "", "AUTH", "Malformed: AUTH: CONTROL_OCTET")]


def test_an_unreadable_password_in_clear_is_told_as_any_in_clear() -> None:
    talk = in_clear()
    talk.send(b"PASS \0\r\n")
    assert talk.journal.refused == [("192.0.2.7", "PASS")]
    assert talk.journal.sign_ins_refused == []


@pytest.mark.parametrize("line", [b"RETR \0", b"FOO \x1b", b"PASSWORD \0", b"\0"])
def test_other_lines_that_cannot_be_read_are_no_refused_sign_in(line: bytes) -> None:
    talk = Conversation()
    talk.say("USER anna@example.org")
    talk.send(line + b"\r\n")
    assert talk.journal.sign_ins_refused == []
    assert talk.accounts.malformed == []


@pytest.mark.req("P-117")
def test_unknown_user_and_wrong_password_get_the_same_octets() -> None:
    known, unknown = Conversation(*MESSAGES), Conversation()
    known.say("USER anna@example.org")
    unknown.say("USER nobody@example.org")
    assert known.say("PASS wrong") == unknown.say("PASS wrong")


@pytest.mark.req("P-036")
@pytest.mark.req("P-037")
@pytest.mark.req("P-120")
@pytest.mark.parametrize("line", ["USER anna@example.org", "PASS secret", f"AUTH PLAIN {PLAIN_ANNA}", "AUTH LOGIN"])
def test_in_clear_a_credential_is_refused_unasked_and_the_journal_hears_of_it(line: str) -> None:
    talk = in_clear()
    assert talk.say(line) == "-ERR use TLS before you sign in\r\n"
    assert talk.accounts.asked == []
    assert talk.journal.refused == [("192.0.2.7", line.split(maxsplit=1)[0])]
    assert talk.journal.troubles == []


@pytest.mark.req("P-036")
def test_pass_is_refused_in_clear_although_user_was_refused_before() -> None:
    talk = in_clear()
    assert talk.sign_in().startswith("-ERR use TLS")
    assert talk.accounts.asked == []


@pytest.mark.parametrize(
    ("data", "start"),
    [
        (b"CAPA\r\nQUIT\r\n", WrongStart.CLEAR),
        (b"USER anna@example.org\r\nPASS secret\r\n", WrongStart.CLEAR),
        (b"PASS \x01\r\n", WrongStart.CLEAR),
        (b"\x16\x03\x01\x02\0\1", WrongStart.TLS_FIRST),
        (b"\x16\x03\x01\x02\0\1\n\xfc", WrongStart.TLS_FIRST),
        (b"CAPA\r\nSTLS\r\n", None),  # the handshake tells its own end
        (b"GET / HTTP/1.1\r\n", None),
        (b"QUIT\r\n", None),
    ],
)
def test_a_client_that_would_sign_in_without_tls_or_begins_it_too_early_is_noted_once(
    data: bytes, start: WrongStart | None
) -> None:
    talk = in_clear()
    for line in data.splitlines(keepends=True) if data.endswith(b"\r\n") else [data]:
        talk.send(line)
    talk.end()
    assert talk.accounts.wrong_starts == ([] if start is None else [(start, "192.0.2.7")])


def test_who_may_sign_in_as_they_come_begin_rightly() -> None:
    for talk in (in_clear("always"), Conversation(*MESSAGES)):
        capabilities(talk)
        talk.end()
        assert talk.accounts.wrong_starts == []


@pytest.mark.parametrize("talk", [in_clear("always"), in_clear("loopback", loopback=True)], ids=["always", "loopback"])
def test_where_the_rules_allow_it_a_password_passes_in_clear(talk: Conversation) -> None:
    assert "USER" in capabilities(talk)
    assert talk.sign_in().startswith("+OK")
    assert talk.accounts.asked[0].loopback is talk.peer.loopback
    assert talk.journal.refused == []


@pytest.mark.req("P-120")
def test_user_never_carries_a_response_code() -> None:
    for talk in (Conversation(), in_clear()):
        for line in ("USER anna@example.org", "USER", "USER \x01"):
            assert "[" not in talk.say(line)


@pytest.mark.req("P-018")
@pytest.mark.parametrize("data", [b"USER a\0b", b"USER a\x1b[31m", b"PASS \0", b"PASS \xff\x1b", b"US\0ER a"])
def test_control_octets_never_reach_the_accounts(data: bytes) -> None:
    talk = Conversation()
    talk.say("USER anna@example.org")
    assert talk.send(data + b"\r\n").startswith(b"-ERR ")
    assert talk.accounts.asked == []
    assert not talk.peer.closed


@pytest.mark.req("P-038")
@pytest.mark.parametrize("line", ["USER", "USER ", "PASS", "PASS ", "RETR", "TOP", "DELE"])
def test_a_missing_argument_is_no_attempt_to_sign_in(line: str) -> None:
    talk = Conversation()
    assert talk.say(line).startswith("-ERR ")
    assert talk.accounts.asked == []


def test_the_credentials_say_who_asks_how_and_from_where() -> None:
    talk = Conversation(*MESSAGES, peer=FakePeer(client="2001:db8::7"))
    talk.sign_in()
    (asked,) = talk.accounts.asked
    assert (asked.address, asked.secret) == ("anna@example.org", "secret")
    assert (asked.client, asked.loopback) == ("2001:db8::7", False)


# --- CAPA -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("P-100")
@pytest.mark.req("P-102")
@pytest.mark.req("P-103")
@pytest.mark.req("P-107")
@pytest.mark.req("P-114")
def test_what_is_listed_before_sign_in_is_listed_after_it() -> None:
    talk = Conversation(*MESSAGES)
    before = capabilities(talk)
    assert capabilities(talk) == before
    assert {"TOP", "UIDL", "USER", "SASL PLAIN LOGIN", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "UTF8"} <= set(
        before
    )
    talk.sign_in()
    assert capabilities(talk) == before


@pytest.mark.req("P-104")
@pytest.mark.req("P-126")
def test_stls_is_listed_only_where_it_is_permitted() -> None:
    assert "STLS" in capabilities(in_clear())
    assert "STLS" not in capabilities(in_clear(tls_offered=False))
    assert "STLS" not in capabilities(Conversation())
    signed = in_clear("always")
    assert "STLS" in capabilities(signed)
    signed.sign_in()
    assert "STLS" not in capabilities(signed)


@pytest.mark.req("P-105")
@pytest.mark.req("P-106")
def test_no_way_to_sign_in_is_listed_in_clear() -> None:
    listed = capabilities(in_clear())
    assert not [line for line in listed if line.startswith(("USER", "SASL"))]


@pytest.mark.req("P-106")
@pytest.mark.req("P-155")
@pytest.mark.req("P-166")
def test_each_listed_mechanism_begins_and_every_other_is_refused() -> None:
    (sasl,) = [line for line in capabilities(Conversation()) if line.startswith("SASL")]
    for mechanism in sasl.split()[1:]:
        assert Conversation().say(f"AUTH {mechanism}").startswith("+ ")
    for mechanism in ("CRAM-MD5", "DIGEST-MD5", "NTLM", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "XOAUTH2", "EXTERNAL"):
        assert Conversation().say(f"AUTH {mechanism}").startswith("-ERR ")


@pytest.mark.req("P-112")
def test_expire_is_the_sites_before_sign_in_and_the_mailboxs_after_it() -> None:
    talk = Conversation()
    talk.accounts.expire = (30, True)
    talk.accounts.add("anna@example.org", "secret", FakeMaildrop(expire_days=90))
    assert "EXPIRE 30 USER" in capabilities(talk)
    talk.sign_in()
    assert "EXPIRE 90" in capabilities(talk)


@pytest.mark.req("P-112")
def test_expire_is_not_said_while_nothing_is_known_of_the_site() -> None:
    talk = Conversation()
    talk.accounts.expire = None
    assert not [line for line in capabilities(talk) if line.startswith("EXPIRE")]


# --- STLS -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("P-125")
def test_stls_says_ok_once_and_nothing_more_before_the_handshake() -> None:
    talk = in_clear()
    assert talk.say("STLS") == "+OK begin TLS\r\n"
    assert talk.peer.upgrading
    sent = len(talk.peer.sent)
    talk.peer.finish_tls()
    assert len(talk.peer.sent) == sent
    assert talk.sign_in().startswith("+OK")
    assert talk.end().tls == "TLSv1.3"


@pytest.mark.req("P-124")
def test_stls_is_refused_twice_and_where_it_is_not_offered() -> None:
    talk = in_clear()
    talk.say("STLS")
    talk.peer.finish_tls()
    assert talk.say("STLS").startswith("-ERR ")
    assert in_clear(tls_offered=False).say("STLS").startswith("-ERR ")


@pytest.mark.req("P-127")
@pytest.mark.parametrize("behind", [b"CAPA\r\n", b"USER evil", b"\x16\x03\x01", b"\n", b"X" * 20000])
def test_octets_in_the_same_segment_as_stls_end_the_connection_unanswered(behind: bytes) -> None:
    talk = in_clear()
    assert talk.send(b"STLS\r\n" + behind) == b""
    assert talk.peer.closed
    assert not talk.peer.upgrading


@pytest.mark.req("P-127")
def test_clear_text_between_stls_and_the_handshake_ends_the_connection() -> None:
    talk = in_clear()
    talk.say("STLS")
    assert talk.say("NOOP") == ""
    assert talk.peer.closed


@pytest.mark.req("P-128")
def test_a_user_name_given_in_clear_is_forgotten_by_stls() -> None:
    talk = in_clear("always")
    talk.say("USER anna@example.org")
    talk.say("STLS")
    talk.peer.finish_tls()
    assert talk.say("PASS secret") == "-ERR send USER first\r\n"
    assert talk.accounts.asked == []


@pytest.mark.req("P-172")
def test_stls_is_accepted_behind_utf8() -> None:
    talk = in_clear()
    assert talk.say("UTF8").startswith("+OK")
    assert talk.say("STLS").startswith("+OK")


def test_implicit_tls_begins_in_authorization() -> None:
    talk = signed_in()
    talk.session.tls_started("TLSv1.2")
    assert Conversation(peer=FakePeer(encrypted=True)).say("STAT").startswith("-ERR sign in")
    assert talk.end().tls == "TLSv1.2"
