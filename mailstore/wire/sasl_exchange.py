"""The SASL exchanges of a sign-in, as values: responses in, challenges and proofs out. It checks no password.

POP3 and the socket for MTAs carry them, each in lines of its own.
"""

from __future__ import annotations

from base64 import b64encode
from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from mailstore.policy import credential_text
from mailstore.policy.addresses import BadAddress, normal_address, without_blanks
from mailstore.policy.credential_text import has_control_octets


class Failure(Enum):
    """How an exchange ends without a proof."""

    CANCELLED = auto()
    BAD_RESPONSE = auto()


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server asks for the next response. `data` is in Base64, as both protocols send it."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """A name without blanks around it, and its secret, which keeps its blanks."""

    address: str
    secret: str


Step = Challenge | Proof | Failure


class Exchange(Protocol):
    """One sign-in under way. `begin` gives the first challenge, `respond` takes each decoded response.

    `address` is the name as far as it is known, also behind a failure.
    """

    address: str

    def begin(self) -> Challenge: ...

    def respond(self, response: bytes) -> Step: ...


def initial(exchange: Exchange, argument: bytes | None) -> Step:
    """Begin an exchange. `argument` is the second argument of AUTH, None where there was none."""
    if argument is None:
        return exchange.begin()
    # RFC 5034 §4: "=" is the empty initial response.
    return exchange.respond(b"") if argument == b"=" else answer(exchange, argument)


def answer(exchange: Exchange, line: bytes) -> Step:
    """Continue an exchange with a line of the client."""
    if line == b"*":
        return Failure.CANCELLED
    try:
        response = a2b_base64(line)
    except NotBase64:
        return Failure.BAD_RESPONSE
    # RFC 5034 §4: nothing outside the alphabet, "=" only at the end. Decoders forgive some errors, so compare with what
    # an encoder makes.
    return exchange.respond(response) if b64encode(response) == line else Failure.BAD_RESPONSE


class Plain:
    """The mechanism PLAIN (RFC 4616)."""

    def __init__(self) -> None:
        self.address = ""

    def begin(self) -> Challenge:
        # RFC 4616 §2: the client speaks first, so the challenge is empty.
        return Challenge(b"")

    def respond(self, response: bytes) -> Step:
        match [_text(part) for part in response.split(b"\0")]:
            case [authorize, str(address), secret]:
                self.address = without_blanks(address)
                if authorize is not None and self.address and secret:
                    return Proof(_sign_in_name(self.address, without_blanks(authorize)), secret)
        return Failure.BAD_RESPONSE


class Login:
    """The mechanism LOGIN (draft-murchison-sasl-login) asks two questions. An initial response answers the first."""

    def __init__(self) -> None:
        self.address = ""

    def begin(self) -> Challenge:
        return _prompt(b"Username:")

    def respond(self, response: bytes) -> Step:
        text = _text(response)
        if self.address:
            return Proof(self.address, text) if text else Failure.BAD_RESPONSE
        self.address = without_blanks(text or "")
        return _prompt(b"Password:") if self.address else Failure.BAD_RESPONSE


MECHANISMS: dict[str, Callable[[], Exchange]] = {"PLAIN": Plain, "LOGIN": Login}


def _prompt(text: bytes) -> Challenge:
    return Challenge(b64encode(text))


def _text(data: bytes) -> str | None:
    """Return the text; None where it holds a control character, which USER and PASS refuse too."""
    return None if has_control_octets(data) else credential_text.read(data)


def _sign_in_name(address: str, authorize: str) -> str:
    """Return the name to sign in. No user may act for another.

    RFC 4616 §2: an empty authorization identity means the user's own. For another identity this returns a name with
    blanks, which no mailbox has. So the sign-in is refused like a wrong password, at the same cost, and tells nothing
    about either account.
    """
    return address if not authorize or _same(address, authorize) else f"{address} as {authorize}"


def _same(one: str, other: str) -> bool:
    try:
        return one == other or normal_address(one) == normal_address(other)
    except BadAddress:
        return False
