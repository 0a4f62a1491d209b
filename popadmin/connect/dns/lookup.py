"""Ask DNS several questions at once, within a strict time. What it answers comes from strangers: it is cut to size."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import dns.exception
import dns.nameserver
import dns.resolver
from django.conf import settings

from popadmin.connect.dns.record import Kind, Question

BUDGET_SECONDS = 4.0  # for all questions together: somebody looks at a page that waits for them
TRY_SECONDS = 1.5  # for one server, before the next one or the same again
THREADS = 24  # more than a domain has questions, so that none waits for another
TEXTS_MOST, TEXT_CHARACTERS = 20, 2000
DNS_PORT = 53
_NO_RECORD = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)
_ADDRESSES = ("A", "AAAA")
_OF_HOSTS = (Kind.CNAME, Kind.ADDRESS)


class Outcome(StrEnum):
    FOUND = "found"
    NONE = "none"  # DNS says that there is no such record
    FAILED = "failed"  # no answer in time, or an error of the servers


@dataclass(frozen=True, slots=True)
class Answer:
    """What DNS has under a name: data as a zone file has it, a TXT without quotes.

    For a CNAME and for addresses: the host at the end of the chain, if it is another one, and the addresses.
    """

    outcome: Outcome
    texts: tuple[str, ...] = ()


def answers(questions: Iterable[Question], *, budget_seconds: float = BUDGET_SECONDS) -> dict[Question, Answer]:
    """Ask all questions at once. Returns after little more than `budget_seconds`, whatever DNS does."""
    distinct = list(dict.fromkeys(questions))
    ends_at = time.monotonic() + budget_seconds
    try:
        resolver = _resolver()
    except dns.resolver.NoResolverConfiguration:
        return dict.fromkeys(distinct, Answer(Outcome.FAILED))
    with ThreadPoolExecutor(THREADS, thread_name_prefix="dns") as threads:
        found = threads.map(lambda question: _answer(resolver, question, ends_at), distinct)
        return dict(zip(distinct, found, strict=True))


def _resolver() -> dns.resolver.Resolver:
    """Return a resolver that asks DNS_SERVERS, or without this setting the servers of the system."""
    resolver = dns.resolver.Resolver(configure=not settings.DNS_SERVERS)
    resolver.timeout = TRY_SECONDS
    if settings.DNS_SERVERS:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(*_server(each)) for each in settings.DNS_SERVERS]
    return resolver


def _server(text: str) -> tuple[str, int]:
    """Return address and port of a server as the setting has it: 192.0.2.1, 192.0.2.1:53, ::1 or [::1]:53."""
    host, colon, port = text.rpartition(":")
    has_port = bool(colon) and (text.startswith("[") or text.count(":") == 1)
    return (host.strip("[]"), int(port)) if has_port else (text, DNS_PORT)


def _answer(resolver: dns.resolver.Resolver, question: Question, ends_at: float) -> Answer:
    try:
        texts = tuple(
            _host(resolver, question, ends_at) if question.kind in _OF_HOSTS else _data(resolver, question, ends_at)
        )
    except _NO_RECORD:
        return Answer(Outcome.NONE)
    except dns.exception.DNSException:
        return Answer(Outcome.FAILED)
    return Answer(Outcome.FOUND, tuple(_printable(text) for text in texts[:TEXTS_MOST]))


def _resolve(resolver: dns.resolver.Resolver, name: str, kind: str, ends_at: float) -> dns.resolver.Answer:
    left_seconds = ends_at - time.monotonic()
    if left_seconds <= 0:
        raise dns.exception.Timeout
    return resolver.resolve(f"{name}.", kind, lifetime=left_seconds, search=False)


def _data(resolver: dns.resolver.Resolver, question: Question, ends_at: float) -> Iterator[str]:
    found = _resolve(resolver, question.name, question.kind, ends_at)
    return (_text(record) for record in found)


def _text(record: Any) -> str:
    strings = getattr(record, "strings", None)
    return record.to_text().lower() if strings is None else b"".join(strings).decode("utf-8", "replace")


def _host(resolver: dns.resolver.Resolver, question: Question, ends_at: float) -> Iterator[str]:
    """Yield the host that a name leads to, and its addresses. Raises NoAnswer if it has none of either family."""
    found = [answer for kind in _ADDRESSES if (answer := _addresses(resolver, question.name, kind, ends_at))]
    if not found:
        raise dns.resolver.NoAnswer
    canonical = found[0].canonical_name.to_text().lower()
    if canonical != f"{question.name}.":
        yield canonical
    for answer in found:
        yield from (record.to_text() for record in answer)


def _addresses(resolver: dns.resolver.Resolver, name: str, kind: str, ends_at: float) -> dns.resolver.Answer | None:
    try:
        return _resolve(resolver, name, kind, ends_at)
    except _NO_RECORD:
        return None


def _printable(text: str) -> str:
    """Return the text without what a terminal or the database would not take."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text[:TEXT_CHARACTERS])
