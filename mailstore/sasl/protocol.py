"""The states of a session with an MTA, and what a site allows in them. The table of legal commands is in `session`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from mailstore.policy.login_name import LoginNames

MAJOR_VERSION = 1  # another one is another protocol
MINOR_VERSION = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """What the site allows."""

    login_names: LoginNames
    # An MTA has one sign-in under way on a connection. It may have given up others without a word: their clients left.
    max_exchanges: int = 16
    max_checks: int = 64  # sign-ins of one connection whose passwords are being checked; more lines wait for them
    # So many lines in a row that are no commands end a session; a good one starts the count again.
    max_bad_commands: int = 20


@dataclass(frozen=True, slots=True)
class Identity:
    """What the greeting says of this process and of the connection. No service of ours asks for it again."""

    process_id: int
    connection_id: int
    cookie: str  # 32 hexadecimal digits


class State(Enum):
    """Where a session stands between two commands."""

    GREETED = auto()  # before the client has told its version
    READY = auto()
