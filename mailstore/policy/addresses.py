"""The one normal form of addresses, domains and logins, for the panel, the shell, LMTP and POP3 (P-040).

Also how far the aliases of an address may lead.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from functools import lru_cache

import idna

# RFC 3696 §3: a local part of 64, @, a domain of 255. A longer text is refused at once.
TYPED_OCTETS = 320
CACHED_DOMAINS = 2_000  # normal forms in memory; 2 MB at most
CACHED_ADDRESSES = 10_000  # the same for addresses, so that a poll need not compute them; 10 MB at most
ADDRESS_OCTETS = 254  # RFC 5321 §4.5.3.1.3: a path of 256 with its angle brackets
LOCAL_PART_OCTETS = 64  # RFC 5321 §4.5.3.1.1
LABEL_OCTETS = 63  # RFC 1035 §2.3.4; a U-label has fewer characters than its A-label octets
DOMAIN_OCTETS = 253  # RFC 1035 §2.3.4, written without the final dot

DELIMITER = "+"  # between a local part and a detail, which anybody may add

# Limits of an alias, for the code that makes aliases and for the code that follows them.
ALIAS_TARGETS_LIMIT = 1000  # Postfix's virtual_alias_expansion_limit: above it mail is deferred for ever
ALIAS_LEVELS_LIMIT = 5  # aliases of aliases; each level is one more query for each delivery

# The spaces of Unicode, and two marks without a width that web pages and files put before a text.
_BLANKS = "".join(char for char in map(chr, range(0x3001)) if unicodedata.category(char) == "Zs") + "\u200b\ufeff"
# RFC 1123 §2.1: letters, digits, hyphens inside; at least two labels. If the last is all digits, it is an IP address.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?!\d+$){_LABEL}")
# RFC 5321 §4.1.2 Dot-string, with RFC 6531 §3.3 UTF-8, and dots anywhere; not dots alone.
_LOCAL_PART = re.compile(r"(?!\.+\Z)[\w!#$%&'*+/=?^`{|}~.-]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Flaw(Enum):
    """What is wrong with a name, in words for the log; mailstore.directory.address_error has words for users."""

    TOO_LONG = f"longer than {TYPED_OCTETS} octets"
    NO_AT = "an address without @"
    QUOTED = "a local part that can only be written in quotes, which is not offered"
    BAD_LOCAL_PART = "no local part before the @"
    BAD_DOMAIN = "not a domain name"
    LONG_ADDRESS = f"an address longer than {ADDRESS_OCTETS} octets"
    NUL_IN_LOGIN = "a login with NUL"


class BadAddress(ValueError):
    """The text is not an address, a domain or a login. `flaw` says why; `text` is the text, or "" if it is too long.

    `str()` is one line in English for the log; mailstore.directory.address_error has words for users.
    """

    def __init__(self, flaw: Flaw, text: str = "") -> None:
        super().__init__(f"{text!r}: {flaw.value}" if text else flaw.value)
        self.flaw = flaw
        self.text = text


def without_blanks(name: str) -> str:
    """Return a name without the blanks around it, which people paste along. Controls such as line ends are kept."""
    return name.strip(_BLANKS)


@lru_cache(CACHED_DOMAINS)
def normal_domain(text: str) -> str:
    """Return the domain in lower case and A-labels (RFC 5890), or raise BadAddress. Blanks around it are dropped."""
    _check_length(text)
    text = without_blanks(text)
    try:
        name = ".".join(_a_label(label) for label in _mapped(text).split("."))
    except UnicodeError as error:  # idna's errors are such
        raise BadAddress(Flaw.BAD_DOMAIN, text) from error
    if len(name) > DOMAIN_OCTETS or not _DOMAIN.fullmatch(name):
        raise BadAddress(Flaw.BAD_DOMAIN, text)
    return name


@lru_cache(CACHED_ADDRESSES)
def normal_address(text: str) -> str:
    """Return `local@domain` in the form in which it is stored and looked up, or raise BadAddress.

    Blanks around it, of any kind, are dropped: people paste them. Quotes that a local part does not need are dropped
    too. Dots may stand anywhere in it: RFC 5321 §4.1.2 wants quotes around such a name, but servers have given them.
    """
    _check_length(text)
    local_part, at, domain = without_blanks(text).rpartition("@")
    if not at:
        raise BadAddress(Flaw.NO_AT, text)
    if domain != without_blanks(domain):  # `normal_domain` would drop a blank in the middle of the address
        raise BadAddress(Flaw.BAD_DOMAIN, text)
    address = f"{_normal_local_part(local_part, text)}@{normal_domain(domain)}"
    if len(address.encode()) > ADDRESS_OCTETS:
        raise BadAddress(Flaw.LONG_ADDRESS)
    return address


def catch_all_of(text: str) -> str | None:
    """Return `@domain` for a recipient that no mailbox or alias can be called, such as `"a b"@example.org`.

    None if its domain is no name either.
    """
    try:
        return f"@{normal_domain(without_blanks(text).rpartition('@')[2])}"
    except (BadAddress, UnicodeEncodeError):
        return None


def normal_local_part(text: str) -> str:
    """Return the part before the @ in the form in which it is stored, or raise BadAddress. Blanks are dropped."""
    _check_length(text)
    return _normal_local_part(without_blanks(text), text)


def normal_login(text: str) -> str:
    """Return the name under which a user is stored: the normal form of an address, the lower case of a login."""
    _check_length(text)
    if "@" in text:
        return normal_address(text)
    if "\0" in text:
        raise BadAddress(Flaw.NUL_IN_LOGIN, text)
    return unicodedata.normalize("NFC", without_blanks(text)).lower()


def shown_domain(name: str) -> str:
    """Return a stored domain for display: valid A-labels in their own script, everything else unchanged."""
    return ".".join(_u_label(label) for label in name.split("."))


def shown_name(name: str) -> str:
    """Return a stored domain or address for display: its domain as `shown_domain`, its local part unchanged."""
    local_part, at, domain = name.rpartition("@")
    return f"{local_part}{at}{shown_domain(domain)}"


def both_names(name: str) -> str:
    """Return a stored domain or address for display, with the stored domain in parentheses behind it if that differs.

    For the shell: `bücher.example (xn--bcher-kva.example)`.
    """
    readable = shown_name(name)
    return name if readable == name else f"{readable} ({name.rpartition('@')[2]})"


def lookup_keys(address: str) -> list[str]:
    """Return the addresses under which a recipient may exist: first the address itself, then without +detail.

    `address` is in normal form. The caller adds `@domain` for the catch-all.
    """
    local_part, _, domain = address.rpartition("@")
    user, plus, _detail = local_part.partition(DELIMITER)
    return [address, f"{user}@{domain}"] if plus and user else [address]


def _normal_local_part(local_part: str, text: str) -> str:
    quoted = _QUOTED.fullmatch(local_part)
    found = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else local_part
    found = unicodedata.normalize("NFC", found).lower()
    if quoted and not _LOCAL_PART.fullmatch(found):
        raise BadAddress(Flaw.QUOTED, text)
    if not _LOCAL_PART.fullmatch(found) or len(found.encode()) > LOCAL_PART_OCTETS:
        raise BadAddress(Flaw.BAD_LOCAL_PART, text)
    return found


def _check_length(text: str) -> None:
    if len(text) > TYPED_OCTETS or len(text.encode(errors="surrogatepass")) > TYPED_OCTETS:
        raise BadAddress(Flaw.TOO_LONG)


def _mapped(text: str) -> str:
    """Return lower case, one width and one kind of dot (UTS 46 §4, non-transitional: ß is another name than ss)."""
    return text.lower() if text.isascii() else idna.uts46_remap(text)


def _u_label(label: str) -> str:
    try:
        return idna.ulabel(label) if label.startswith("xn--") else label
    except idna.IDNAError:
        return label


def _a_label(label: str) -> str:
    """Return a label that DNS can hold (RFC 5891 §4). Only the grammar of host names checks plain ASCII."""
    if label.isascii() and not label.startswith("xn--"):
        return label
    if len(label) > LABEL_OCTETS:
        raise idna.IDNAError("a label is too long")
    return idna.alabel(label).decode("ascii")
