"""Limits on connections and on upload memory, counted per process; only the poller changes the counts."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Sequence

IPV6_PREFIX = 64  # one customer has all of its addresses (RFC 6177 §2)

LOOPBACK = ("127.0.0.0/8", "::1/128")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Room:
    """A number of octets that is reserved and given back."""

    def __init__(self, octets: int) -> None:
        self._free_octets = octets

    def take(self, octets: int) -> bool:
        """Reserve this many octets; return True if there was room."""
        if octets > self._free_octets:
            return False
        self._free_octets -= octets
        return True

    def give(self, octets: int) -> None:
        self._free_octets += octets


class Addresses:
    """The number of connections per address. Addresses in the `exempt` networks have no limit."""

    def __init__(self, most: int, exempt: Sequence[str]) -> None:
        self._most = most
        self._exempt: list[Network] = [ipaddress.ip_network(network) for network in exempt]
        self._count: Counter[str] = Counter()

    def enter(self, peer: object) -> str | None:
        """Count a connection of `peer` (as `accept` names it). Return the value for `leave`, or None at the limit."""
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
        """Return the key of an address; empty for exempt addresses and for a unix socket, which has no address."""
        if not isinstance(peer, tuple):
            return ""
        address = ipaddress.ip_address(peer[0].partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if any(address in network for network in self._exempt):
            return ""
        if address.version == 4:
            return str(address)
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
