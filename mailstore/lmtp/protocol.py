"""Which command is legal in which state, and what a site allows; it parses nothing and answers nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class Rules:
    """What the site allows. `hostname` is said in the greeting."""

    hostname: str
    max_message_octets: int
    max_recipients: int = 1000  # ten times what RFC 5321 §4.5.3.1.8 asks for; Postfix gives 50 at once
    # Lines in a row that are no commands after which a conversation ends; a good one starts the count again.
    # Refused addresses and commands out of order do not count: behind one refused MAIL a pipeline has many.
    max_bad_commands: int = 20


class State(Enum):
    """Where a conversation stands between two commands."""

    GREETED = auto()  # before LHLO
    READY = auto()
    SENDER = auto()  # MAIL given, no recipient accepted
    RECIPIENTS = auto()
    CHUNKS = auto()  # between two BDAT


_ALWAYS = {"HELP", "LHLO", "NOOP", "QUIT", "RSET", "VRFY"}

# RFC 5321 §4.1.4 with LHLO in the place of EHLO (RFC 2033 §4.1); BDAT: RFC 3030 §2.
LEGAL: dict[State, frozenset[str]] = {
    State.GREETED: frozenset(_ALWAYS),
    State.READY: frozenset(_ALWAYS | {"MAIL"}),
    # RFC 2033 §4.2: without a recipient DATA is refused; that includes BDAT.
    State.SENDER: frozenset(_ALWAYS | {"RCPT"}),
    State.RECIPIENTS: frozenset(_ALWAYS | {"RCPT", "DATA", "BDAT"}),
    State.CHUNKS: frozenset(_ALWAYS | {"BDAT"}),
}
