"""The grammar of LMTP: it turns one line into a command or a Fault. It knows no state and gives no reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from mailstore.lmtp import forwarded, paths
from mailstore.lmtp.forwarded import BadAttribute, Forwarded
from mailstore.lmtp.paths import BadPath, Utf8Path

# RFC 5321 §4.5.3.1.4 asks for 512 with CRLF, RFC 6531 for 10 more, SIZE, BODY and others for some dozens each;
# eight times that leaves room for long UTF-8 paths and is still little.
COMMAND_OCTETS = 4096
NAME_OCTETS = 255  # of LHLO: RFC 5321 §4.5.3.1.2
NUMBER_DIGITS = 20  # RFC 1870 §5, RFC 3030 §2


class Fault(Enum):
    """Why a line is no command."""

    UNKNOWN = auto()
    NOT_LMTP = auto()  # HELO, EHLO
    TOO_LONG = auto()
    TEXT = auto()
    ARGUMENT = auto()
    PARAMETER = auto()
    UNKNOWN_PARAMETER = auto()
    SENDER = auto()
    RECIPIENT = auto()
    UTF8 = auto()
    CHUNK_SIZE = auto()


# The faults of a client that does not speak LMTP. The others happen to an MTA whose customer wrote a bad address.
NOT_COMMANDS = frozenset({Fault.UNKNOWN, Fault.NOT_LMTP, Fault.TOO_LONG, Fault.TEXT, Fault.ARGUMENT})


@dataclass(frozen=True, slots=True)
class Bare:
    """A command without arguments."""

    verb: str


@dataclass(frozen=True, slots=True)
class Lhlo:
    name: str
    verb: str = "LHLO"


@dataclass(frozen=True, slots=True)
class Mail:
    """`size_octets` is what SIZE= announced, None without it. `sender` is "" for the null sender."""

    sender: str
    size_octets: int | None
    utf8: bool
    verb: str = "MAIL"


@dataclass(frozen=True, slots=True)
class Rcpt:
    """`address` as it was typed, without the brackets and a source route."""

    address: str
    verb: str = "RCPT"


@dataclass(frozen=True, slots=True)
class Bdat:
    octets: int
    last: bool
    verb: str = "BDAT"


@dataclass(frozen=True, slots=True)
class Xforward:
    forwarded: Forwarded
    verb: str = "XFORWARD"


Command = Bare | Lhlo | Mail | Rcpt | Bdat | Xforward


def parse(line: bytes) -> Command | Fault:
    """Read one line without its end. The caller checks whether the transaction allows UTF-8 in a RCPT."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return Fault.TEXT
    if not paths.is_plain(text):
        return Fault.TEXT
    # RFC 5321 §2.4: verbs in any case.
    verb, _, rest = text.partition(" ")
    grammar = _GRAMMAR.get(verb.upper()) if verb.isascii() else None
    return grammar(rest.strip(" ")) if grammar else Fault.UNKNOWN


def recipient_text(line: bytes) -> str:
    """Return what a RCPT named that is no address, for people to read."""
    return line.decode("utf-8", "replace").partition(":")[2].strip(" <>")


# --- arguments: each function reads what follows the verb ---------------------------------------------------------


def _bare(verb: str) -> Callable[[str], Command | Fault]:
    command = Bare(verb)
    return lambda rest: Fault.ARGUMENT if rest else command


def _any(verb: str) -> Callable[[str], Command | Fault]:
    command = Bare(verb)
    return lambda _rest: command


def _not_lmtp(_rest: str) -> Command | Fault:
    # RFC 2033 §4.1
    return Fault.NOT_LMTP


def _lhlo(rest: str) -> Command | Fault:
    fits = rest.isascii() and " " not in rest and 0 < len(rest) <= NAME_OCTETS
    return Lhlo(rest) if fits else Fault.ARGUMENT


def _mail(rest: str) -> Command | Fault:
    keyword, path, words = paths.split(rest)
    if keyword != "FROM" or path is None:
        return Fault.ARGUMENT if keyword != "FROM" else Fault.SENDER
    parameters = _mail_parameters(words)
    if isinstance(parameters, Fault):
        return parameters
    try:
        sender = paths.sender(path, utf8="SMTPUTF8" in parameters)
    except BadPath as bad:
        return Fault.UTF8 if isinstance(bad, Utf8Path) else Fault.SENDER
    size = parameters.get("SIZE")
    return Mail(sender, None if size is None else int(size), "SMTPUTF8" in parameters)


def _rcpt(rest: str) -> Command | Fault:
    keyword, path, words = paths.split(rest)
    if keyword != "TO" or path is None:
        return Fault.ARGUMENT if keyword != "TO" else Fault.RECIPIENT
    if words:
        return Fault.UNKNOWN_PARAMETER
    try:
        return Rcpt(paths.recipient(path))
    except BadPath:
        return Fault.RECIPIENT


def _bdat(rest: str) -> Command | Fault:
    # RFC 3030 §2
    words = rest.upper().split()
    if not words or not _is_number(words[0]) or words[1:] not in ([], ["LAST"]):
        return Fault.CHUNK_SIZE
    return Bdat(int(words[0]), last=len(words) > 1)


def _xforward(rest: str) -> Command | Fault:
    values: dict[str, str] = {}
    for word in rest.split():
        name, _, value = word.partition("=")
        values[name.upper()] = value
    if not values:
        return Fault.ARGUMENT
    if not values.keys() <= forwarded.ATTRIBUTES.keys():
        return Fault.UNKNOWN_PARAMETER
    try:
        return Xforward(forwarded.attributes(values))
    except BadAttribute:
        return Fault.PARAMETER


def _mail_parameters(words: list[str]) -> dict[str, str] | Fault:
    """Return the values of ESMTP parameters by upper-case name (RFC 5321 §4.1.2). Each is checked by its own rule."""
    found: dict[str, str] = {}
    for word in words:
        name, _, value = word.partition("=")
        name = name.upper()
        if name not in _PARAMETERS:
            return Fault.UNKNOWN_PARAMETER
        if name in found or not _PARAMETERS[name](value):
            return Fault.PARAMETER
        found[name] = value
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS


_PARAMETERS: dict[str, Callable[[str], bool]] = {
    "SIZE": _is_number,  # RFC 1870 §3
    "BODY": lambda value: value.upper() in {"7BIT", "8BITMIME"},  # RFC 6152 §2; BINARYMIME is not offered
    "SMTPUTF8": lambda value: not value,  # RFC 6531 §3.4
}

_GRAMMAR: dict[str, Callable[[str], Command | Fault]] = {
    "LHLO": _lhlo,
    "HELO": _not_lmtp,
    "EHLO": _not_lmtp,
    "MAIL": _mail,
    "RCPT": _rcpt,
    "DATA": _bare("DATA"),
    "BDAT": _bdat,
    "RSET": _bare("RSET"),
    "QUIT": _bare("QUIT"),
    "NOOP": _any("NOOP"),  # RFC 5321 §4.1.1.9: an argument is ignored
    "HELP": _any("HELP"),
    "VRFY": _any("VRFY"),
    "XFORWARD": _xforward,
}
