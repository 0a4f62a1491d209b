"""A DNS server on loopback with a few records in memory; it can also fail, and keep silent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

TTL = 60


@dataclass
class FakeDns:
    """Records by name (with a final dot) and type. Names in `broken` get SERVFAIL, those in `silent` no answer."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def put(self, name: str, kind: str, *texts: str) -> None:
        self.records[f"{name}.", kind] = list(texts)

    def take_zone(self, zone: str) -> None:
        """Serve the lines of a zone file, as an operator would paste them."""
        for line in zone.splitlines():
            name, _ttl, _class, kind, text = line.split(" ", 4)
            self.records.setdefault((name, kind), []).append(text)

    def answer(self, data: bytes) -> bytes | None:
        query = dns.message.from_wire(data)
        name, kind = query.question[0].name.to_text().lower(), dns.rdatatype.to_text(query.question[0].rdtype)
        self.asked.append(name)
        if name in self.silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif not any(known == name for known, _kind in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:
            response.answer = list(self._chain(name, kind))
        return response.to_wire()

    def _chain(self, name: str, kind: str) -> Iterator[dns.rrset.RRset]:
        while alias := self.records.get((name, "CNAME")):
            yield dns.rrset.from_text(name, TTL, "IN", "CNAME", alias[0])
            name = alias[0]
        if texts := self.records.get((name, kind)):
            yield dns.rrset.from_text(name, TTL, "IN", kind, *texts)


@contextmanager
def dns_server() -> Iterator[FakeDns]:
    """Serve until the end of the block, on a port of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        fake = FakeDns(address="{}:{}".format(*server.getsockname()))
        thread = threading.Thread(target=_serve, args=(server, fake))
        thread.start()
        try:
            yield fake
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", server.getsockname())  # an empty datagram ends it
            thread.join()


def _serve(server: socket.socket, fake: FakeDns) -> None:
    while True:
        data, client = server.recvfrom(65_535)
        if not data:
            return
        answer = fake.answer(data)
        if answer is not None:
            server.sendto(answer, client)
