"""What a line of an MTA's log says, whichever MTA wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

FIELD_CHARACTERS = 320  # of an address: RFC 3696 §3
TEXT_CHARACTERS = 400  # of what the MTA says


@dataclass(frozen=True, slots=True)
class Taken:
    """The MTA has taken a message, or tells more of one. What it does not tell is None."""

    mta_id: str
    sender: str | None = None
    octets: int | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message for a recipient before it reached us, or after it left.

    `reason` is one of TraceEntry.Reason, and `final` says that the MTA does not try again. `recipient` is None where
    the MTA gave up all recipients at once, and empty where it refused a message and names none. `sender` is None where
    another line has told it.
    """

    at: datetime
    reason: str
    final: bool
    mta_id: str
    recipient: str | None
    text: str
    sender: str | None = None
    origin: str = ""


LogEvent = Taken | Outcome
