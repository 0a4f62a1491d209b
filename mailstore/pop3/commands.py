"""The grammar of POP3: it turns one line into a Command or a Fault. It knows no state and gives no reply."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from mailstore.policy import credential_text
from mailstore.policy.addresses import without_blanks
from mailstore.policy.credential_text import has_control_octets

# RFC 2449 §4 asks for 255 with CRLF; twice that leaves room for long passphrases in UTF-8.
COMMAND_OCTETS = 512
# RFC 5034 §4: the limit of commands does not bound responses. Base64 of 8 KiB, AUTH and the name of a mechanism.
SASL_LINE_OCTETS = 12 * 1024
NUMBER_DIGITS = 20  # enough for every 64-bit number

TLS_RECORD_START = b"\x16\x03"  # RFC 8446 §5.1: a handshake record, so a ClientHello on a port without implicit TLS
_OTHER_PROTOCOLS = frozenset(
    (b"PROXY", b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"CONNECT", b"TRACE", b"PRI")
)


class Fault(Enum):
    """Why a line is not a command."""

    UNKNOWN = auto()
    ARGUMENT = auto()
    NUMBER = auto()
    CONTROL_OCTET = auto()
    TOO_LONG = auto()
    OTHER_PROTOCOL = auto()


class Command(NamedTuple):
    """A well-formed command: the keyword in upper case, and the arguments of the method that obeys it."""

    verb: str
    arguments: tuple[object, ...] = ()


def parse(line: bytes) -> Command | Fault:
    """Read one line without its end.

    Arguments: USER name; PASS secret; AUTH [mechanism [initial response]] (bytes, as sent); RETR and DELE number;
    LIST and UIDL [number]; TOP number line_count; none for the others. Message numbers are above 0, and may be above
    the number of the last message.
    """
    bare_command = _BARE.get(line)
    if bare_command is not None:
        return bare_command
    keyword, _, rest = line.partition(b" ")
    verb = _NUMBERED.get(keyword)
    if verb is not None and rest.isdigit() and len(rest) <= NUMBER_DIGITS and (number := int(rest)):
        return Command(verb, (number,))
    return _read(line)


def _read(line: bytes) -> Command | Fault:
    if has_control_octets(line):
        return Fault.OTHER_PROTOCOL if line.startswith(TLS_RECORD_START) else Fault.CONTROL_OCTET
    keyword, blank, rest = line.partition(b" ")
    # RFC 1939 §3: keywords in any case; bytes.upper() touches ASCII alone.
    keyword = keyword.upper()
    if blank and keyword in _OTHER_PROTOCOLS:
        return Fault.OTHER_PROTOCOL
    if len(line) > COMMAND_OCTETS - 2 and keyword != b"AUTH":
        return Fault.TOO_LONG
    grammar = _GRAMMAR.get(keyword)
    if grammar is None:
        return Fault.UNKNOWN
    arguments = grammar(rest)
    return arguments if isinstance(arguments, Fault) else Command(keyword.decode(), arguments)


# --- arguments: each function reads what follows the keyword and one blank ----------------------------------------

_Arguments = tuple[object, ...] | Fault


def _none(rest: bytes) -> _Arguments:
    return Fault.ARGUMENT if rest.strip(b" ") else ()


def _name(rest: bytes) -> _Arguments:
    # People paste blanks with a name, also those of web pages (U+00A0).
    name = without_blanks(credential_text.read(rest))
    return (name,) if name else Fault.ARGUMENT


def _secret(rest: bytes) -> _Arguments:
    # RFC 1939 §7: PASS has one argument, so every blank belongs to the password.
    return (credential_text.read(rest),) if rest else Fault.ARGUMENT


def _mechanism(rest: bytes) -> _Arguments:
    # RFC 5034 §4: mechanism and initial response. AUTH alone asks for the list of mechanisms.
    mechanism, _, initial = rest.partition(b" ")
    if not mechanism:
        return Fault.ARGUMENT if initial.strip(b" ") else ()
    name = mechanism.upper().decode("ascii", "replace")
    return (name, initial) if initial else (name,)


def _number(rest: bytes) -> _Arguments:
    words = rest.split()
    return _positive_numbers(words) if len(words) == 1 else Fault.ARGUMENT


def _number_or_none(rest: bytes) -> _Arguments:
    return _number(rest) if rest.strip(b" ") else ()


def _number_and_lines(rest: bytes) -> _Arguments:
    words = rest.split()
    return _positive_numbers(words) if len(words) == 2 else Fault.ARGUMENT


def _positive_numbers(words: list[bytes]) -> tuple[int, ...] | Fault:
    """Read numbers of digits only. The first is a message number, and those begin at 1 (RFC 1939 §5, §7)."""
    if not all(word.isdigit() and len(word) <= NUMBER_DIGITS for word in words):
        return Fault.NUMBER
    numbers = tuple(map(int, words))
    return numbers if numbers[0] else Fault.NUMBER


_GRAMMAR: dict[bytes, Callable[[bytes], _Arguments]] = {
    b"AUTH": _mechanism,
    b"CAPA": _none,
    b"DELE": _number,
    b"LIST": _number_or_none,
    b"NOOP": _none,
    b"PASS": _secret,
    b"QUIT": _none,
    b"RETR": _number,
    b"RSET": _none,
    b"STAT": _none,
    b"STLS": _none,
    b"TOP": _number_and_lines,
    b"UIDL": _number_or_none,
    b"USER": _name,
    b"UTF8": _none,
}
VERBS = frozenset(keyword.decode() for keyword in _GRAMMAR)
# Most lines of a poll are a bare keyword. Their commands are made once and found by one look-up.
_BARE: dict[bytes, Command] = {
    keyword: Command(keyword.decode())
    for keyword, grammar in _GRAMMAR.items()
    if grammar in (_none, _number_or_none, _mechanism)
}
# Most lines of a fetch are one of these keywords and digits. They are read without the grammar, which is faster.
_NUMBERED = {b"DELE": "DELE", b"LIST": "LIST", b"RETR": "RETR", b"UIDL": "UIDL"}
