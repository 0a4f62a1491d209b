"""A set of records of DNS as values: which are wanted, under which name, and how a zone file writes them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

TTL_SECONDS = 3600
STRING_OCTETS = 255  # of one string of a TXT record (RFC 1035 §3.3.14); readers join them without a separator


class Kind(StrEnum):
    """The types of records. A CNAME may also be given as A and AAAA records: what counts is the host it leads to.

    ADDRESS are both kinds of addresses of a host, or a CNAME that leads to them.
    """

    ADDRESS = "A, AAAA"
    MX = "MX"
    TXT = "TXT"
    SRV = "SRV"
    CNAME = "CNAME"


class Question(NamedTuple):
    """What is looked up. `name` has no final dot."""

    name: str
    kind: Kind


class Need(StrEnum):
    """How much depends on a record."""

    MAIL = "mail"  # without it mail does not come
    TRUST = "trust"  # without it mail that the domain sends is doubted
    EASE = "ease"  # without it somebody must type more


class Purpose(StrEnum):
    """What a set of records is for. It decides how what is found is compared."""

    ADDRESS = "address"
    MX = "mx"
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    SERVICE = "service"
    HOST = "host"
    PACC = "pacc"


@dataclass(frozen=True, slots=True)
class RecordSet:
    """The wanted records of one name and kind. `texts` are their data as a zone file has it, a TXT without quotes.

    A set without texts is looked for, but what stands in it is up to the operator. `of_site`: it is in the zone of the
    site, not in that of the domain.
    """

    purpose: Purpose
    question: Question
    texts: tuple[str, ...]
    need: Need
    of_site: bool = False


def zone(sets: Iterable[RecordSet]) -> str:
    """Return the records as a zone file, with whole names, so that it can be pasted into any zone."""
    return "".join(f"{line}\n" for records in sets if not records.of_site for line in _lines(records))


def _lines(records: RecordSet) -> Iterator[str]:
    name, kind = records.question
    if kind == Kind.ADDRESS:  # only the operator knows them
        yield f"; {name}. needs the public address of its machine: an A record, and AAAA for IPv6"
    for text in records.texts:
        data = _quoted(text) if kind == Kind.TXT else text
        yield f"{name}. {TTL_SECONDS} IN {kind} {data}"


def _quoted(text: str) -> str:
    """Return the text as strings in quotes. RFC 1035 §5.1: a quote or a backslash stands behind a backslash."""
    data = text.encode()
    strings = [data[at : at + STRING_OCTETS] for at in range(0, len(data), STRING_OCTETS)]
    escaped = (
        string.replace(b"\\", b"\\\\").replace(b'"', b'\\"').decode("ascii", "backslashreplace") for string in strings
    )
    return " ".join(f'"{string}"' for string in escaped)
