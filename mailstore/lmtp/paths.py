"""Read forward and reverse paths (RFC 5321 §4.1.2, RFC 6531 §3.3). This module does not know which addresses exist.

Senders are read as they occur in practice: with dots in a row, with underscores in domains, as long as the command
can be. A strict reader would bounce mail that another server has accepted.
"""

from __future__ import annotations

import re

PATH_OCTETS = 256  # of a recipient: RFC 5321 §4.5.3.1.3, with its brackets
DOMAIN_OCTETS = 255  # RFC 5321 §4.5.3.1.2

# C0, DEL, C1 and Unicode's line ends: none of them may reach a header line or a log.
_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_WORD = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-\u00a1-\U0010ffff]+"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_LITERAL = r"\[[!-Z^-~]+\]"
_DOMAIN = rf"(?:[A-Za-z0-9._\-\u00a1-\U0010ffff]+|{_LITERAL})"
_MAILBOX = re.compile(rf"(?:{_WORD}|{_QUOTED})@(?P<domain>{_DOMAIN})")
_ROUTE = re.compile(rf"@{_DOMAIN}(?:,@{_DOMAIN})*:")

# A path ends at the first > outside quotes.
_ARGUMENT = re.compile(rf"(?P<keyword>[A-Za-z]+): *(?:<(?P<path>(?:{_QUOTED}|[^>\"])*)>)?(?P<rest>.*)")


class BadPath(ValueError):
    """The text is not a path."""


class Utf8Path(BadPath):
    """The path holds UTF-8, and SMTPUTF8 was not given."""


def is_plain(text: str) -> bool:
    """Say whether no character of `text` can end a line or control a terminal."""
    return _NOT_PLAIN.search(text) is None


def split(argument: str) -> tuple[str, str | None, list[str]]:
    """Split `FROM:<path> words` into FROM, the text in the brackets (None without them), and the words after it."""
    match = _ARGUMENT.fullmatch(argument)
    if match is None:
        return "", None, []
    rest: str = match["rest"]
    path = match["path"] if not rest or rest.startswith(" ") else None
    return match["keyword"].upper(), path, rest.split()


def sender(path: str, *, utf8: bool) -> str:
    """Return the mailbox of a reverse path; "" is the null sender. Only the limit of commands bounds its length."""
    if not path:
        return ""
    if not (utf8 or path.isascii()):
        raise Utf8Path(path)
    return _mailbox(path)[0]


def recipient(path: str) -> str:
    """Return the mailbox of a forward path, in the case in which it was written.

    A local part may be longer than the 64 octets of RFC 5321 §4.5.3.1.1: a catch-all takes it.
    """
    # RFC 5321 §4.1.1.3: the one address that needs no domain.
    if path.lower() == "postmaster":
        return path
    if len(path.encode()) > PATH_OCTETS - 2:
        raise BadPath(path)
    mailbox, domain = _mailbox(path)
    if len(domain.encode()) > DOMAIN_OCTETS:
        raise BadPath(path)
    return mailbox


def _mailbox(path: str) -> tuple[str, str]:
    """Return the mailbox of a path, and its domain."""
    # RFC 5321 §4.1.1.3, appendix C: source routes are stripped.
    route = _ROUTE.match(path)
    mailbox = path[route.end() :] if route else path
    match = _MAILBOX.fullmatch(mailbox)
    if match is None:
        raise BadPath(path)
    return mailbox, match["domain"]
