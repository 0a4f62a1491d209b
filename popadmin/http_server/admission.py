"""Who may come and who may send much: counts of one process; the poller alone changes them."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Sequence

IPV6_PREFIX = 64  # whoever has one address of it has all (RFC 6177 §2)

LOOPBACK = ("127.0.0.0/8", "::1/128")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Room:
    """So many octets, taken and given back."""

    def __init__(self, octets: int) -> None:
        self._free_octets = octets

    def take(self, octets: int) -> bool:
        """True when there was room for so much."""
        if octets > self._free_octets:
            return False
        self._free_octets -= octets
        return True

    def give(self, octets: int) -> None:
        self._free_octets += octets


class Addresses:
    """How many connections each address has. Those of the networks `exempt` may have any number."""

    def __init__(self, most: int, exempt: Sequence[str]) -> None:
        self._most = most
        self._exempt: list[Network] = [ipaddress.ip_network(network) for network in exempt]
        self._count: Counter[str] = Counter()

    def enter(self, peer: object) -> str | None:
        """One more connection of `peer`, as `accept` names it: what to give to `leave`, or None when it has enough."""
        key = self._key(peer)
        if key and self._count[key] >= self._most:
            return None
        if key:
            self._count[key] += 1
        return key

    def leave(self, key: str) -> None:
        if key:
            self._count[key] -= 1
            if not self._count[key]:
                del self._count[key]

    def _key(self, peer: object) -> str:
        """Empty for those who are exempt; a unix socket has no address."""
        if not isinstance(peer, tuple):
            return ""
        address = ipaddress.ip_address(peer[0].partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if any(address in network for network in self._exempt):
            return ""
        if address.version == 4:
            return str(address)
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
