"""What the configuration of an MTA is made of: frozen values, from the settings and from what the operator chose."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailstore.keypair import Pair
from mailstore.mta import host_name
from mailstore.mta.socket_address import SocketAddress

SUBMISSION, SUBMISSIONS = "587", "465"  # RFC 6409, RFC 8314 §3.3


class Recipients(StrEnum):
    """How the MTA tells at RCPT whether a recipient exists."""

    LOOKUP = "lookup"  # it looks into the database
    VERIFY = "verify"  # it asks LMTP, which also knows who is full


class Dkim(StrEnum):
    """Who signs what leaves."""

    NONE = "none"
    RSPAMD = "rspamd"
    OPENDKIM = "opendkim"
    EXIM = "exim"  # by itself


@dataclass(frozen=True, slots=True)
class Choices:
    """What the operator chose. `submission` and `submissions` are None where the port is not offered.

    `srs`: the sender of mail that goes on elsewhere is rewritten, so that SPF holds there.
    """

    recipients: Recipients = Recipients.LOOKUP
    dkim: Dkim = Dkim.NONE
    srs: bool = False
    submission: str | None = SUBMISSION
    submissions: str | None = SUBMISSIONS


@dataclass(frozen=True, slots=True)
class MapDatabase:
    """How the MTA reaches the views. It signs in as a role that can read nothing else."""

    host: str  # a name, an address, or the folder of a unix socket
    port: int
    name: str
    user: str
    password: str | None


@dataclass(frozen=True, slots=True)
class MailServer:
    """The parts of popadmin that an MTA talks to. `sasl` and `policy` are None where they are switched off.

    `hostname` is that of the MTA, `smtp_hostname` the one that mail programs send through. `domains` are the hosted
    ones, in lower case. `service_uid` is the user who runs popadmin.
    """

    hostname: str
    smtp_hostname: str
    lmtp: SocketAddress
    sasl: SocketAddress | None
    policy: SocketAddress | None
    database: MapDatabase
    pairs: tuple[Pair, ...]
    message_octets: int
    domains: frozenset[str]
    service_uid: int

    @property
    def mta_hostname(self) -> str | None:
        """Return what the MTA is to call itself; None where PUBLIC_HOSTNAME is no full name: then it stays as it is."""
        return self.hostname if host_name.is_full(self.hostname) else None

    @property
    def message_limit_octets(self) -> int:
        """Return the largest message of the MTA: less than ours, since it counts its own file of the message."""
        return self.message_octets * 97 // 100
