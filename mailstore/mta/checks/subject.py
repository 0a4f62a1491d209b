"""What the checks examine: the parts of popadmin, the MTA, and a mailbox to try them with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mailstore.mta.mail_server import MailServer
from mailstore.mta.postfix_facts import PostfixFacts
from mailstore.mta.program import Outcome
from mailstore.mta.socket_address import SocketAddress

FOUND, NOT_FOUND = 0, 1  # how a look-up ends; with any other code it has failed
SECONDS = 10.0  # for each step of a dialogue; none takes long where all is well


@dataclass(frozen=True, slots=True)
class Probe:
    """A mailbox with its password, and the address of a full one; None where there is none.

    `has_catch_all`: in its domain no address is unknown.
    """

    address: str
    password: str
    full_address: str | None = None
    has_catch_all: bool = False

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A recipient whose mail waits in the queue of the MTA. `reason` asks the MTA why, which may take a program."""

    recipient: str
    since: datetime
    reason: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits, or why the MTA does not tell."""

    waiting: tuple[Waiting, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class MtaView:
    """What an MTA says of itself. The addresses are None where it offers no such port.

    `hostname` is what it calls itself to others, empty if unknown. `postfix` are the parameters of Postfix; None for
    another MTA. `size_limit_octets` is None where it has none.
    """

    hostname: str
    smtp: SocketAddress | None
    submission: SocketAddress | None
    submissions: SocketAddress | None
    queue: Callable[[], Queue]
    test: Callable[[], Outcome]
    size_limit_octets: int | None
    is_rewriting: bool  # senders of mail that goes on elsewhere (SRS)
    lookup: Callable[[str, str], Outcome | None]
    postfix: PostfixFacts | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """One run of the checks. `pop3` is where to fetch, in TLS or not; None if POP3 has no port here.

    `alias_elsewhere` is the address of an alias or a forward with a target outside; None if there is none.
    """

    server: MailServer
    mta: MtaView
    probe: Probe | None
    lmtp_listens: tuple[SocketAddress, ...]
    pop3: tuple[SocketAddress, bool] | None
    alias_elsewhere: str | None
    now: datetime
