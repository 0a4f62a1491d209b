"""Reads from the header of a message where it has been, so that one that goes in a circle is known. It never raises."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from mailstore.wire import header_field

HEADER_OCTETS = 64 * 1024  # what follows is not read: some 150 Received of the usual length
RECEIVED_MOST = 100  # RFC 5321 §6.3: at least 100, so that no honest way is too long
# Passes through one server. Filters hand a message back to their server two or three times; a circle goes on.
SAME_SERVER_MOST = 10

_RECEIVED = header_field.pattern("received")
_DELIVERED_TO = header_field.pattern("delivered-to")
_BY = re.compile(rb"(?i)\bby\s+([^\s;()]+)")  # RFC 5321 §4.4


@dataclass(frozen=True, slots=True)
class Trace:
    """The addresses to which a message was delivered before, in lower case, and how often servers had it."""

    delivered_to: frozenset[str]
    received_count: int
    same_server_count: int

    def loops_to(self, address: str) -> bool:
        """Return whether the message comes back to this address, or goes on and on between servers."""
        too_often = self.received_count > RECEIVED_MOST or self.same_server_count > SAME_SERVER_MOST
        return too_often or address.lower() in self.delivered_to


class TraceReader:
    """Keeps the header of one message as it comes, and reads it once."""

    __slots__ = ("_header", "_is_over")

    def __init__(self) -> None:
        self._header = bytearray()
        self._is_over = False

    def feed(self, wire: bytes) -> None:
        """Take the next octets of the message in wire form."""
        if self._is_over:
            return
        begin = max(0, len(self._header) - 3)  # the end may lie across two pieces
        self._header += wire[: HEADER_OCTETS - len(self._header)]
        end = header_field.END.search(self._header, begin)
        if end is not None:
            del self._header[end.start() :]
        self._is_over = end is not None or len(self._header) >= HEADER_OCTETS

    def header(self) -> bytes:
        """Return the header as far as it came, without the empty line behind it."""
        return bytes(self._header)

    def trace(self) -> Trace:
        header = self.header()
        received = [found[1] for found in _RECEIVED.finditer(header)]
        servers = Counter(by[1].lower() for line in received if (by := _BY.search(line)))
        delivered_to = (found[1].decode("utf-8", "replace").strip().lower() for found in _DELIVERED_TO.finditer(header))
        return Trace(frozenset(delivered_to), len(received), max(servers.values(), default=0))
