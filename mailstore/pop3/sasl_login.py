"""The SASL exchanges a client may sign in with, as values: responses in, challenges and proofs out; it asks nobody."""

from __future__ import annotations

from base64 import b64encode
from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from mailstore.policy.addresses import BadAddress, normal_address
from mailstore.pop3.commands import has_control_octets


class Failure(Enum):
    """How an exchange ends without a proof."""

    CANCELLED = auto()
    BAD_RESPONSE = auto()


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server's turn; `line` is ready to be sent."""

    line: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """A name and what proves it; `secret` keeps its blanks."""

    address: str
    secret: str


Step = Challenge | Proof | Failure


class Exchange(Protocol):
    """One sign-in under way. `begin` gives the first challenge, `respond` takes each decoded response."""

    def begin(self) -> Challenge: ...

    def respond(self, response: bytes) -> Step: ...


def initial(exchange: Exchange, argument: bytes | None) -> Step:
    """Begin with AUTH's second argument, None where there was none."""
    if argument is None:
        return exchange.begin()
    # RFC 5034 §4: "=" is the empty initial response.
    return exchange.respond(b"") if argument == b"=" else answer(exchange, argument)


def answer(exchange: Exchange, line: bytes) -> Step:
    """Go on with a client's line."""
    if line == b"*":
        return Failure.CANCELLED
    try:
        response = a2b_base64(line)
    except NotBase64:
        return Failure.BAD_RESPONSE
    # RFC 5034 §4: nothing outside the alphabet, "=" at the end alone. Decoders forgive some of it; encoders do not.
    return exchange.respond(response) if b64encode(response) == line else Failure.BAD_RESPONSE


class Plain:
    """RFC 4616."""

    def begin(self) -> Challenge:
        # RFC 5034 §4: plus, one blank, nothing.
        return Challenge(b"+ \r\n")

    def respond(self, response: bytes) -> Step:
        parts = [_text(part) for part in response.split(b"\0")]
        match parts:
            case [str(authorize), str(address), str(secret)] if address and secret:
                return Proof(_acting_as(address, authorize), secret)
        return Failure.BAD_RESPONSE


class Login:
    """draft-murchison-sasl-login: two questions. An initial response answers the first, as curl sends it."""

    def __init__(self) -> None:
        self._address: str | None = None

    def begin(self) -> Challenge:
        return _prompt(b"Username:")

    def respond(self, response: bytes) -> Step:
        text = _text(response)
        if not text:
            return Failure.BAD_RESPONSE
        if self._address is None:
            self._address = text
            return _prompt(b"Password:")
        return Proof(self._address, text)


MECHANISMS: dict[str, Callable[[], Exchange]] = {"PLAIN": Plain, "LOGIN": Login}


def _prompt(text: bytes) -> Challenge:
    return Challenge(b"+ " + b64encode(text) + b"\r\n")


def _text(octets: bytes) -> str | None:
    """Return the text, None where it is not UTF-8 or holds a control character, as USER and PASS refuse them."""
    if has_control_octets(octets):
        return None
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return None


def _acting_as(address: str, authorize: str) -> str:
    """Return whom to sign in: nobody may act for another.

    RFC 4616 §2: an empty authorization identity means the user himself. For another one the answer is a name with
    blanks, which no mailbox has, so that it is refused like a wrong password, at the same cost, and tells nothing
    about either account.
    """
    return address if not authorize or _same(address, authorize) else f"{address} as {authorize}"


def _same(one: str, other: str) -> bool:
    try:
        return one == other or normal_address(one) == normal_address(other)
    except BadAddress:
        return False
