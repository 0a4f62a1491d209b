"""Read the subject and the sender from the header of a message, for people. It never raises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import parseaddr

from mailstore.wire import header_field

HEADER_OCTETS = 64 * 1024  # what follows is not read
FIELD_OCTETS = 4096  # of one field: more than any page shows, and no parser is slow on it
SUMMARY_CHARACTERS = 300

_SUBJECT = header_field.pattern("subject")
_FROM = header_field.pattern("from")
# Controls, and marks that would reverse the text after them on a page.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]+")


@dataclass(frozen=True, slots=True)
class MessageSummary:
    """Subject and sender in one line each, safe to show and to store; empty where the header has none."""

    subject: str
    sender: str


def summary(wire: bytes) -> MessageSummary:
    """Read them from the beginning of a message in wire form."""
    end = header_field.END.search(wire, 0, HEADER_OCTETS)
    header = wire[: end.start() if end else HEADER_OCTETS]
    return MessageSummary(_readable(_value(_SUBJECT, header)), _sender(_value(_FROM, header)))


def _value(field: re.Pattern[bytes], header: bytes) -> str:
    found = field.search(header)
    if found is None:
        return ""
    data = found[1][:FIELD_OCTETS].replace(b"\r", b"").replace(b"\n", b"")
    try:
        return data.decode()  # ASCII, or RFC 6532
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")  # the usual charset of programs that announce none


def _sender(value: str) -> str:
    """Split name and address before decoding, so that an encoded name is never taken for an address."""
    name, address = parseaddr(value)
    if "@" not in address:
        return _readable(value)
    readable = _readable(name)
    return f"{readable} <{_clean(address)}>"[:SUMMARY_CHARACTERS] if readable else _clean(address)


def _readable(value: str) -> str:
    """Decode the encoded words (RFC 2047). Text that cannot be decoded stays as it is."""
    if "=?" not in value:
        return _clean(value)
    try:
        return _clean("".join(_decoded(part, charset) for part, charset in decode_header(value)))
    except HeaderParseError:
        return _clean(value)


def _decoded(part: bytes | str, charset: str | None) -> str:
    if isinstance(part, str):
        return part
    if charset is None:
        return part.decode("raw-unicode-escape", "replace")  # as decode_header has encoded it
    try:
        return part.decode(charset.partition("*")[0], "replace")  # RFC 2231 §5: a language may follow the star
    except (LookupError, ValueError):
        return part.decode("utf-8", "replace")


def _clean(text: str) -> str:
    storable = text.encode("utf-8", "replace").decode()
    return " ".join(_UNSEEN.sub(" ", storable).split())[:SUMMARY_CHARACTERS]
