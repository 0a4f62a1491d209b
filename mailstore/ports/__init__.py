"""The ports: what protocols ask of the mail behind them, and of the connection that carries them.

Protocols know these modules, and neither Django nor sockets nor the clock. The rooms behind them know neither POP3 nor
LMTP. Tests put fakes behind the same ports; `tests/suites` holds what every implementation must do.
"""

from mailstore.errors import Done
from mailstore.ports.bodies import BodyRef, BodyStore, Draft, ForeignFile, OpenBody
from mailstore.ports.connection import Peer, Session
from mailstore.ports.delivery import NO_MARKS, Delivered, Delivery, Envelope, Intake, MessageMarks, Recipient
from mailstore.ports.gatekeeper import Gatekeeper
from mailstore.ports.journal import Journal, SessionRecord
from mailstore.ports.maildrop import (
    Accounts,
    Credentials,
    Handled,
    Listing,
    Maildrop,
    Message,
    SignIn,
    WrongStart,
)
from mailstore.ports.old_servers import Move, OldServers
from mailstore.ports.sending import Sender, Senders
from mailstore.ports.trace import Answer, Trace, Unfit

__all__ = [
    "NO_MARKS",
    "Accounts",
    "Answer",
    "BodyRef",
    "BodyStore",
    "Credentials",
    "Delivered",
    "Delivery",
    "Done",
    "Draft",
    "Envelope",
    "ForeignFile",
    "Gatekeeper",
    "Handled",
    "Intake",
    "Journal",
    "Listing",
    "Maildrop",
    "Message",
    "MessageMarks",
    "Move",
    "OldServers",
    "OpenBody",
    "Peer",
    "Recipient",
    "Sender",
    "Senders",
    "Session",
    "SessionRecord",
    "SignIn",
    "Trace",
    "Unfit",
    "WrongStart",
]
