"""Where a client is: its network, and whether it is this machine; pure, and no list of whom to trust."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

REMEMBERED = 20_000  # addresses whose network is known already: a poll need not work it out; some 4 MB
IPV4_PREFIX = 24
IPV6_PREFIX = 48  # what one customer of a provider is given at most (RFC 6177 §2)


@lru_cache(REMEMBERED)
def network(client: str) -> str:
    """The /24 or /48 an address belongs to; other texts (a unix socket) stand for themselves."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    prefix = IPV4_PREFIX if address.version == 4 else IPV6_PREFIX
    return str(ipaddress.ip_network((address, prefix), strict=False))


def is_loopback(client: str) -> bool:
    """True for this machine itself, also by a unix socket. Whoever came by a proxy is not asked about here."""
    return client == "::1" or client.removeprefix("::ffff:").startswith("127.") or client == "unix"
