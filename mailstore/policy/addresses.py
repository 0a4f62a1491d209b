"""Addresses as names: one normal form shared by the panel, the shell, LMTP and POP3 (checklist P-040)."""

from __future__ import annotations

import re
import unicodedata

ADDRESS_OCTETS = 254  # RFC 5321 §4.5.3.1.3: a path of 256 with its angle brackets
LOCAL_PART_OCTETS = 64  # RFC 5321 §4.5.3.1.1
DOMAIN_OCTETS = 253  # RFC 1035 §2.3.4, written without the final dot

# RFC 1123 §2.1: letters, digits, hyphens inside; at least two labels, the last not all digits (that is an address).
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?!\d+$){_LABEL}")
# RFC 5321 §4.1.2 Dot-string, with RFC 6531 §3.3 UTF-8; quoted local parts are not offered to new mailboxes.
_LOCAL_PART = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")


class BadAddress(ValueError):
    """Not an address; the text says what is wrong and is fit for people."""


def normal_domain(text: str) -> str:
    """Return the domain in lower case and A-labels (RFC 5890), or raise BadAddress."""
    name = unicodedata.normalize("NFC", text).lower()
    try:
        ascii_name = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise BadAddress(f"{text!r} is not a domain name") from error
    if len(ascii_name) > DOMAIN_OCTETS or not _DOMAIN.fullmatch(ascii_name):
        raise BadAddress(f"{text!r} is not a domain name: letters, digits and hyphens, at least one dot")
    return ascii_name


def normal_address(text: str) -> str:
    """Return `local@domain` in the one form under which it is stored and looked up, or raise BadAddress."""
    local_part, at, domain = text.rpartition("@")
    if not at:
        raise BadAddress(f"{text!r} is not an address: it has no @")
    local_part = unicodedata.normalize("NFC", local_part).lower()
    if not _LOCAL_PART.fullmatch(local_part) or len(local_part.encode()) > LOCAL_PART_OCTETS:
        raise BadAddress(f"{text!r} is not an address: the part before the @ is not one")
    address = f"{local_part}@{normal_domain(domain)}"
    if len(address.encode()) > ADDRESS_OCTETS:
        raise BadAddress(f"the address is longer than {ADDRESS_OCTETS} octets")
    return address


def lookup_keys(address: str) -> list[str]:
    """The names under which a recipient may be known, the most exact first: as it is, without +detail.

    `address` is in normal form. The caller adds `@domain` where a catch-all may answer.
    """
    local_part, _, domain = address.rpartition("@")
    user, plus, _detail = local_part.partition("+")
    return [address, f"{user}@{domain}"] if plus and user else [address]
