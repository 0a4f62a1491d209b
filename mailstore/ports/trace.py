"""The port of the trace: sessions report each answer that a sender got for a recipient."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from mailstore.errors import MailError
from mailstore.ports.delivery import NO_MARKS, Delivered, MessageMarks


class Unfit(Enum):
    """Why a session refused a recipient without asking the delivery."""

    ADDRESS = "address"  # RFC 5321 §4.1.2: it is not <an address>
    UTF8 = "utf8"  # RFC 6531 §3.5: an address in UTF-8 without SMTPUTF8
    MANY = "many"  # RFC 5321 §4.5.3.1.10


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `recipient` is as the sender gave it; it is empty where none was given.

    `via` is as in Recipient. `octets` is the size of the message, None before it came.
    """

    source: str  # TraceEntry.Source
    client: str
    sender: str
    recipient: str
    outcome: Delivered | MailError | Unfit
    reply: str
    announced_octets: int | None = None
    octets: int | None = None
    via: tuple[str, ...] = ()
    marks: MessageMarks = NO_MARKS


class Trace(Protocol):
    """Where answers are reported. It never raises and never waits."""

    def answered(self, answer: Answer) -> None:
        """Keep an answer. Called when it is given, or just before."""
