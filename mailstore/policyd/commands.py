"""The grammar of Postfix' policy delegation: it turns lines into attributes, and those of a request into a question.

Source: SMTPD_POLICY_README of Postfix. It knows no state and gives no answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

LINE_OCTETS = 16 * 1024  # an attribute: subjects of certificates are long, and Postfix passes on what a client says
ATTRIBUTES_MOST = 200  # of one request; Postfix 3.10 sends some 35
NUMBER_DIGITS = 18  # of a size in octets that fits 64 bits
REQUEST = "smtpd_access_policy"
KEPT = frozenset({
    "request", "protocol_state", "recipient", "size", "sasl_username", "sender", "client_name", "client_address",
    "queue_id",
})  # fmt: skip
UNKNOWN_CLIENT = "unknown"  # what Postfix says for the name of a client that has none
_QUEUE_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{3,63}")  # as Postfix and Exim write it


class Fault(Enum):
    """Why a line is none of a request."""

    NO_ATTRIBUTE = auto()
    TOO_LONG = auto()


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    value: str


class End(Enum):
    """The empty line behind a request."""

    END = auto()


@dataclass(frozen=True, slots=True)
class MayReceive:
    """Whether a recipient is accepted. `octets` is what the sender announced, None if nothing.

    The rest is for the trace, each empty where the MTA does not tell it: the sender, name and address of the client,
    and the queue id, which Postfix has from the first recipient on that it accepts.
    """

    address: str
    octets: int | None
    sender: str
    origin: str
    mta_id: str


@dataclass(frozen=True, slots=True)
class MaySend:
    """Whether a user may send the message that has come whole."""

    login: str


Question = MayReceive | MaySend


def parse(line: bytes) -> Attribute | End | Fault:
    """Read one line without its end."""
    if not line:
        return End.END
    name, equals, value = line.partition(b"=")
    if not (name and equals):
        return Fault.NO_ATTRIBUTE
    return Attribute(name.decode("utf-8", "replace"), value.decode("utf-8", "replace"))


def question(attributes: Mapping[str, str]) -> Question | None:
    """Return what a request asks of us; None if it is about something on which we have no opinion."""
    if attributes.get("request") != REQUEST:
        return None
    read = _STATES.get(attributes.get("protocol_state", ""))
    return read(attributes) if read else None


def _at_recipient(attributes: Mapping[str, str]) -> Question | None:
    address = attributes.get("recipient", "")
    if not address:
        return None
    return MayReceive(
        address,
        _size(attributes.get("size", "")),
        sender=attributes.get("sender", ""),
        origin=_origin(attributes.get("client_name", ""), attributes.get("client_address", "")),
        mta_id=_queue_id(attributes.get("queue_id", "")),
    )


def _at_end(attributes: Mapping[str, str]) -> Question | None:
    login = attributes.get("sasl_username", "")
    return MaySend(login) if login else None


def _size(text: str) -> int | None:
    """Return a size that was announced. Postfix says 0 where there was none (RFC 1870 §6.1)."""
    return (int(text) or None) if text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS else None


def _origin(name: str, address: str) -> str:
    return ", ".join(part for part in (name, address) if part and part != UNKNOWN_CLIENT)


def _queue_id(text: str) -> str:
    return text if _QUEUE_ID.fullmatch(text) else ""


# At RCPT the size is what the sender announced. Only at END-OF-MESSAGE the message has come.
_STATES = {"RCPT": _at_recipient, "END-OF-MESSAGE": _at_end}
