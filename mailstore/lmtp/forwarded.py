"""What XFORWARD tells of a message before its MAIL: the client of the MTA, and the MTA's queue id. It keeps no state.

The command is Postfix's: https://www.postfix.org/XFORWARD_README.html, which the sections below are of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mailstore.lmtp import paths
from mailstore.ports import MessageMarks

VALUE_CHARACTERS = 255  # of a name in the DNS, the longest of these
ID_CHARACTERS = 64  # of a queue id: the longest, Exim's, have 23
UNKNOWN = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})
_HEX = re.compile(r"\+([0-9A-F]{2})")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+")  # RFC 3461 §4


class BadAttribute(ValueError):
    """The value of an attribute is none that it can have."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The attributes that we take. Each is empty where the MTA does not know it, and None where it said nothing."""

    name: str | None = None
    address: str | None = None
    helo: str | None = None
    mta_id: str | None = None

    def updated(self, later: Forwarded) -> Forwarded:
        """Return what a second command leaves: each of its attributes counts in place of the first."""
        return Forwarded(
            self.name if later.name is None else later.name,
            self.address if later.address is None else later.address,
            self.helo if later.helo is None else later.helo,
            self.mta_id if later.mta_id is None else later.mta_id,
        )

    def completed(self, header: MessageMarks) -> MessageMarks:
        """Return the marks of a message: as the MTA told them here, else as its header has them."""
        origin = ", ".join(part for part in (self.name or self.helo, self.address) if part)
        return replace(header, mta_id=self.mta_id or header.mta_id, origin=origin or header.origin)


NOTHING_FORWARDED = Forwarded()


def attributes(values: Mapping[str, str]) -> Forwarded:
    """Read the values of a command by their upper-case names, which are all in ATTRIBUTES. BadAttribute."""
    read = {field: check(_decoded(values[name])) for name, (field, check) in ATTRIBUTES.items() if name in values}
    return Forwarded(**read)


def _decoded(xtext: str) -> str:
    """Return a value in plain text; empty for one that the MTA does not know."""
    if _XTEXT.fullmatch(xtext) is None:
        raise BadAttribute(xtext)
    octets = _HEX.sub(lambda found: chr(int(found[1], 16)), xtext).encode("latin-1")
    try:
        text = octets.decode()
    except UnicodeDecodeError as error:
        raise BadAttribute(xtext) from error
    if not paths.is_plain(text) or " " in text:
        raise BadAttribute(xtext)
    return "" if text.upper() in UNKNOWN else text


def _value(text: str) -> str:
    if len(text) > VALUE_CHARACTERS:
        raise BadAttribute(text)
    return text


def _address(text: str) -> str:
    # "ADDR": an IPv6 address has a prefix, and an address need not be one of IP.
    return _value(text[5:] if text[:5].upper() == "IPV6:" else text)


def _id(text: str) -> str:
    if len(text) > ID_CHARACTERS:
        raise BadAttribute(text)
    return text


# By their names on the wire: the field, and what checks it. LHLO offers these.
ATTRIBUTES: dict[str, tuple[str, Callable[[str], str]]] = {
    "NAME": ("name", _value),
    "ADDR": ("address", _address),
    "HELO": ("helo", _value),
    "IDENT": ("mta_id", _id),
}
