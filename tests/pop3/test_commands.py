"""The grammar: what is a command, what is none, and what of a line is its argument."""

from __future__ import annotations

import pytest

from mailstore.pop3.commands import COMMAND_OCTETS, VERBS, Command, Fault, parse
from mailstore.pop3.session import COMMANDS

BARE = sorted(VERBS - {"USER", "PASS", "RETR", "DELE", "TOP"})


def test_the_grammar_and_the_table_of_states_know_the_same_commands() -> None:
    assert frozenset().union(*COMMANDS.values()) == VERBS


@pytest.mark.req("P-005")
@pytest.mark.parametrize("verb", sorted(VERBS))
def test_keywords_are_read_in_any_case(verb: str) -> None:
    arguments = b" 1 0" if verb == "TOP" else b"" if verb in BARE else b" 1"
    upper = parse(verb.encode() + arguments)
    assert isinstance(upper, Command)
    assert upper.verb == verb
    assert parse(verb.lower().encode() + arguments) == upper
    assert parse(verb.swapcase().title().encode() + arguments) == upper


@pytest.mark.req("P-005")
def test_letters_outside_ascii_are_no_other_case_of_ours() -> None:
    assert parse("ſtat".encode()) is Fault.UNKNOWN
    assert parse("dele".replace("e", "é").encode()) is Fault.UNKNOWN


@pytest.mark.req("P-006")
def test_a_command_of_255_octets_is_read_whole() -> None:
    name = "n" * (255 - len("USER \r\n"))
    assert parse(f"USER {name}".encode()) == Command("USER", (name,))
    assert parse(f"PASS {name}".encode()) == Command("PASS", (name,))


@pytest.mark.req("P-007")
def test_a_command_above_the_limit_is_refused_but_a_mechanism_may_bring_more() -> None:
    assert parse(b"PASS " + b"x" * (COMMAND_OCTETS - 7)) == Command("PASS", ("x" * (COMMAND_OCTETS - 7),))
    assert parse(b"PASS " + b"x" * (COMMAND_OCTETS - 6)) is Fault.TOO_LONG
    assert parse(b"AUTH PLAIN " + b"x" * 9000) == Command("AUTH", ("PLAIN", b"x" * 9000))


@pytest.mark.req("P-010")
@pytest.mark.parametrize(
    "number", ["0", "00", "-1", "+1", "1x", "0x1", "1.0", "1e3", "1,5", "١", "²", "1_0", "9" * 21, "9" * 100]
)
@pytest.mark.parametrize("form", ["LIST {}", "UIDL {}", "RETR {}", "DELE {}", "TOP {} 1"])
def test_what_is_no_message_number_is_refused(form: str, number: str) -> None:
    assert parse(form.format(number).encode()) is Fault.NUMBER


@pytest.mark.req("P-010")
@pytest.mark.parametrize("lines", ["-1", "x", "+2", "9" * 21])
def test_what_is_no_count_of_lines_is_refused(lines: str) -> None:
    assert parse(f"TOP 1 {lines}".encode()) is Fault.NUMBER


@pytest.mark.req("P-076")
@pytest.mark.parametrize("lines", [0, 99999999, 2147483647, 4294967295, 99999999999, 10**19])
def test_a_count_of_lines_may_be_as_large_as_anybody_sends(lines: int) -> None:
    assert parse(f"TOP 1 {lines}".encode()) == Command("TOP", (1, lines))


@pytest.mark.req("P-010")
@pytest.mark.req("P-038")
@pytest.mark.parametrize(
    "line",
    ["USER", "USER ", "USER   ", "PASS", "PASS ", "RETR", "RETR ", "DELE", "TOP", "TOP 1", "TOP 1 ", "TOP 1 2 3"]
    + ["LIST 1 2", "UIDL 1 2", "RETR 1 2", "DELE 1 2", "AUTH  x"]
    + [f"{verb} x" for verb in ("STAT", "NOOP", "RSET", "QUIT", "CAPA", "STLS", "UTF8")],
)
def test_a_missing_or_surplus_argument_is_refused(line: str) -> None:
    assert parse(line.encode()) is Fault.ARGUMENT


@pytest.mark.req("P-018")
@pytest.mark.parametrize(
    "line",
    [
        b"US\0ER a",
        b"USER a\0b",
        b"USER a\x1b[31m",
        b"PASS \0",
        b"PASS a\tb",
        b"STAT\rNOOP",
        b"STAT\x7f",
        b"\x16",
        b"AUTH PLAIN \0",
    ],
)
def test_control_octets_are_refused_wherever_they_stand(line: bytes) -> None:
    assert parse(line) is Fault.CONTROL_OCTET


@pytest.mark.parametrize(
    ("line", "text"),
    [(b"USER \xff", "ÿ"), (b"PASS \xc3", "Ã"), (b"USER \xed\xa0\x80", "í\u00a0€"), (b"PASS \xc0\x80", "À€")],
)
def test_text_that_is_not_utf8_is_windows_1252(line: bytes, text: str) -> None:
    assert parse(line) == Command(line[:4].decode(), (text,))


@pytest.mark.req("P-019")
@pytest.mark.parametrize("verb", BARE)
def test_blanks_behind_a_bare_command_are_forgiven_and_before_it_are_not(verb: str) -> None:
    assert parse(f"{verb}  ".encode()) == Command(verb)
    assert parse(f" {verb}".encode()) is Fault.UNKNOWN


@pytest.mark.req("P-019")
@pytest.mark.req("P-020")
def test_blanks_around_numbers_are_forgiven() -> None:
    assert parse(b"LIST 1 ") == parse(b"LIST  1") == Command("LIST", (1,))
    assert parse(b"TOP  1   0  ") == Command("TOP", (1, 0))


@pytest.mark.req("P-033")
@pytest.mark.parametrize("secret", ["a b", " lead", "trail ", "a  b", " ", "  ", "pass\u00a0word", "Ä ö"])
def test_every_blank_behind_the_first_belongs_to_the_password(secret: str) -> None:
    assert parse(f"PASS {secret}".encode()) == Command("PASS", (secret,))


def test_a_name_is_the_whole_rest_without_the_blanks_around_it() -> None:
    assert parse(b"USER anna@example.org  ") == Command("USER", ("anna@example.org",))
    assert parse("USER  \u00a0anna@example.org\u00a0".encode()) == Command("USER", ("anna@example.org",))
    assert parse(b"USER anna b") == Command("USER", ("anna b",))
    assert parse(b'USER "anna"') == Command("USER", ('"anna"',))


@pytest.mark.req("P-139")
@pytest.mark.req("P-143")
def test_a_mechanism_is_read_in_any_case_and_its_response_as_it_is() -> None:
    assert parse(b"auth plain") == Command("AUTH", ("PLAIN",))
    assert parse(b"AUTH Plain dGVzdA== ") == Command("AUTH", ("PLAIN", b"dGVzdA== "))
    assert parse(b"AUTH PLAIN =") == Command("AUTH", ("PLAIN", b"="))
    assert parse("AUTH é".encode()) == Command("AUTH", ("��",))


@pytest.mark.req("P-021")
@pytest.mark.parametrize(
    "line", [b"", b" ", b":", b"FOO", b"HELP", b"LAST", b"XTND XLST", b"APOP a b", b"LANG", b"STATS"]
)
def test_anything_else_is_unknown(line: bytes) -> None:
    assert parse(line) is Fault.UNKNOWN


@pytest.mark.req("P-186")
@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1",
        b"POST /x HTTP/1.1",
        b"PRI * HTTP/2.0",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2",
        b"\x16\x03\x01\x02\0\1",
    ],
)
def test_other_protocols_are_told_apart(line: bytes) -> None:
    assert parse(line) is Fault.OTHER_PROTOCOL
