"""The states of an LMTP session, and what a site allows in them. The table of legal commands is in `session`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class Rules:
    """What the site allows. The greeting says `hostname`."""

    hostname: str
    max_message_octets: int
    max_recipients: int = 1000  # ten times what RFC 5321 §4.5.3.1.8 asks for; Postfix gives 50 at once
    # So many lines in a row that are no commands end a session; a good one starts the count again. Refused addresses
    # and commands out of order do not count, since one refused MAIL causes many of them in a pipeline.
    max_bad_commands: int = 20


class State(Enum):
    """Where a session stands between two commands."""

    GREETED = auto()  # before LHLO
    READY = auto()
    SENDER = auto()  # after MAIL, while no recipient is accepted
    RECIPIENTS = auto()
    CHUNKS = auto()  # between two BDAT
