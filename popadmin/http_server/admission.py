"""Limits on connections and on the memory for request bodies, counted per process; only the poller changes them."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Sequence

from popadmin.http_server.limits import Limits

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


class BodyAllowance:
    """How many octets (`octets`) the body of one connection's request may have.

    Every connection may send a form. A larger body needs room that all connections share: up to `anonymous_octets`
    for anybody, above that for users who are signed in.
    """

    def __init__(self, limits: Limits, *, anonymous_room: Room, upload_room: Room) -> None:
        self._limits = limits
        self._anonymous_room, self._upload_room = anonymous_room, upload_room
        self._taken: tuple[Room, int] | None = None
        self.octets = limits.form_octets

    @property
    def seconds(self) -> float:
        """Return how long a body of the allowed length may take to arrive."""
        more = self.octets - self._limits.form_octets
        return self._limits.body_seconds + more / self._limits.body_octets_a_second

    def extend(self, octets: int | None, *, signed_in: bool) -> bool:
        """Allow a body of this many octets (None: as long as possible); return True if there was room."""
        self.give_back()
        limits = self._limits
        room = self._upload_room if signed_in else self._anonymous_room
        if octets is None:
            octets = limits.upload_octets if signed_in else limits.anonymous_octets
        if not room.take(octets):
            return False
        self._taken, self.octets = (room, octets), octets
        return True

    def give_back(self) -> None:
        """Give back the room: the body is no longer in memory."""
        if self._taken:
            room, octets = self._taken
            room.give(octets)
            self._taken = None

    def reset(self) -> None:
        """Begin anew for the next request."""
        self.give_back()
        self.octets = self._limits.form_octets


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
