"""The waist: what protocols ask of the store, and what they ask of the connection that carries them.

Left of this file nothing knows Django, sockets or the clock; right of it nothing knows POP3 or LMTP.

An asynchronous port takes `done` and calls it exactly once, with a value or with a `MailError`, perhaps before the
call returns. It never raises. A session that is gone by then ignores the answer. No task, no future, no coroutine:
an answer costs one call.
"""

from mailstore.ports.answer import Done
from mailstore.ports.bodies import BodyRef, BodyStore, Draft, ForeignFile, OpenBody
from mailstore.ports.connection import Peer, Session
from mailstore.ports.delivery import Delivered, Delivery, Envelope, Intake, Recipient
from mailstore.ports.journal import Journal
from mailstore.ports.maildrop import Accounts, Credentials, Handled, Listing, Maildrop, Message, SessionRecord, SignIn

__all__ = [
    "Accounts",
    "BodyRef",
    "BodyStore",
    "Credentials",
    "Delivered",
    "Delivery",
    "Done",
    "Draft",
    "Envelope",
    "ForeignFile",
    "Handled",
    "Intake",
    "Journal",
    "Listing",
    "Maildrop",
    "Message",
    "OpenBody",
    "Peer",
    "Recipient",
    "Session",
    "SessionRecord",
    "SignIn",
]
