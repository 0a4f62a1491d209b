"""The network of a client, and whether a client is this machine. Pure; it does not say which clients to trust."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

CACHED_ADDRESSES = 20_000  # networks in memory, so that a poll need not compute them; some 4 MB
IPV4_PREFIX = 24
IPV6_PREFIX = 48  # what one customer of a provider is given at most (RFC 6177 §2)


@lru_cache(CACHED_ADDRESSES)
def network(client: str) -> str:
    """Return the /24 or /48 of an address; another text (a unix socket) is returned unchanged."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    prefix = IPV4_PREFIX if address.version == 4 else IPV6_PREFIX
    return str(ipaddress.ip_network((address, prefix), strict=False))


def is_loopback(client: str) -> bool:
    """Say whether an address is this machine, also by a unix socket. Do not ask this of a client behind a proxy."""
    return client == "::1" or client.removeprefix("::ffff:").startswith("127.") or client == "unix"
