"""The grammar of Dovecot's authentication protocol: it turns one line into a Command or a Fault. It knows no state.

Source: the description of the protocol 1.x in Dovecot's documentation, and how its two clients behave, Postfix
(xsasl_dovecot_server.c) and Exim (auths/dovecot.c).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

LINE_OCTETS = 16 * 1024  # the protocol's own limit, with the line end
LARGEST_NUMBER = 2**32 - 1
NUMBER_DIGITS = len(str(LARGEST_NUMBER))
_UNESCAPED = {b"1": b"\x01", b"0": b"\0", b"t": b"\t", b"r": b"\r", b"n": b"\n"}  # the escape itself first


class Fault(Enum):
    """Why a line is not a command."""

    UNKNOWN = auto()  # to be passed over: later versions may have more commands
    ARGUMENT = auto()  # of a command that is known
    TOO_LONG = auto()


@dataclass(frozen=True, slots=True)
class Version:
    """The version that the client speaks. A client of another major version is none of ours."""

    major: int
    verb: str = "VERSION"


@dataclass(frozen=True, slots=True)
class ProcessId:
    """The end of the client's greeting. The id serves nothing here: no other service asks about a request."""

    verb: str = "CPID"


@dataclass(frozen=True, slots=True)
class Auth:
    """A sign-in begins.

    `client` and `listener` are the IP addresses of the SMTP connection, None where the MTA told none. `secured`: TLS
    protects it. `response` is the initial response in Base64, None where there is none.
    """

    request_id: int
    mechanism: str
    client: str | None
    listener: str | None
    secured: bool
    response: bytes | None
    verb: str = "AUTH"


@dataclass(frozen=True, slots=True)
class Continue:
    """A sign-in goes on with the answer to a challenge, in Base64."""

    request_id: int
    response: bytes
    verb: str = "CONT"


@dataclass(frozen=True, slots=True)
class Cancel:
    request_id: int
    verb: str = "CANCEL"


Command = Version | ProcessId | Auth | Continue | Cancel


def parse(line: bytes) -> Command | Fault:
    """Read one line without its end."""
    verb, *fields = line.split(b"\t")
    grammar = _GRAMMAR.get(verb)
    return grammar(fields) if grammar else Fault.UNKNOWN


def escaped(text: str) -> bytes:
    """Return a value as a line can carry it."""
    data = text.encode()
    for letter, octet in _UNESCAPED.items():
        data = data.replace(octet, b"\x01" + letter)
    return data


# --- arguments: each function reads what follows the verb ---------------------------------------------------------


def _version(fields: Sequence[bytes]) -> Command | Fault:
    numbers = [_number(field) for field in fields]
    return Version(numbers[0]) if len(numbers) == 2 and numbers[0] is not None else Fault.ARGUMENT


def _process_id(fields: Sequence[bytes]) -> Command | Fault:
    return ProcessId() if len(fields) == 1 and _number(fields[0]) is not None else Fault.ARGUMENT


def _auth(fields: Sequence[bytes]) -> Command | Fault:
    if len(fields) < 2 or not (request_id := _number(fields[0])):
        return Fault.ARGUMENT
    # Parameters that are not known here are passed over. A repeated one counts as it came first.
    parameters: dict[bytes, bytes] = {}
    for field in fields[2:]:
        name, _, value = field.partition(b"=")
        parameters.setdefault(name, value)
    return Auth(
        request_id,
        mechanism=fields[1].decode("ascii", "replace").upper(),
        client=_address(parameters.get(b"rip")),
        listener=_address(parameters.get(b"lip")),
        secured=b"secured" in parameters,
        response=parameters.get(b"resp"),
    )


def _continue(fields: Sequence[bytes]) -> Command | Fault:
    if len(fields) != 2 or not (request_id := _number(fields[0])):
        return Fault.ARGUMENT
    return Continue(request_id, fields[1])


def _cancel(fields: Sequence[bytes]) -> Command | Fault:
    return Cancel(request_id) if len(fields) == 1 and (request_id := _number(fields[0])) else Fault.ARGUMENT


def _number(field: bytes) -> int | None:
    number = int(field) if field.isdigit() and len(field) <= NUMBER_DIGITS else None
    return None if number is None or number > LARGEST_NUMBER else number


def _address(value: bytes | None) -> str | None:
    """Return an IP address; None for what is none."""
    try:
        return str(ipaddress.ip_address(_unescape(value or b"").decode()))
    except ValueError:
        return None


def _unescape(value: bytes) -> bytes:
    first, *parts = value.split(b"\x01")
    return first + b"".join(_UNESCAPED.get(part[:1], b"") + part[1:] for part in parts)


_GRAMMAR: dict[bytes, Callable[[Sequence[bytes]], Command | Fault]] = {
    b"VERSION": _version,
    b"CPID": _process_id,
    b"AUTH": _auth,
    b"CONT": _continue,
    b"CANCEL": _cancel,
}
