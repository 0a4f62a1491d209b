"""Networks of clients: the one of a client, whether it is this machine, and where each account signed in. Pure.

It does not say which clients to trust. The database keeps the pairs of account and network with a sign-in within
KNOWN_DAYS, so that a server that was just started knows them. A worker notes a pair once a day, and asks the database
only for pairs that it has not noted itself.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from functools import lru_cache

CACHED_ADDRESSES = 20_000  # networks in memory, so that a poll need not compute them; some 4 MB
IPV4_PREFIX = 24
IPV6_PREFIX = 48  # what one customer of a provider is given at most (RFC 6177 §2)
KNOWN_DAYS = 30
NETWORKS_LIMIT = 64  # of one user at any time: a phone travels through many networks of its provider
NETWORKS_KEPT = 32  # the newest, which the sweep keeps
NOTED_SECONDS = 86_400
TABLE_LIMIT = 20_000  # pairs that a worker remembers, some 4 MB; the oldest are dropped
NAME_CHARACTERS = 254  # the longest address; no account has a longer name, so the rest need not fill memory


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


def pair_key(account: str, network: str) -> str:
    """Return the key of one account in one network; the name of a network has no blank."""
    return f"{network} {account[:NAME_CHARACTERS]}"


class KnownPairs:
    """The pairs that one worker noted within a day."""

    def __init__(self) -> None:
        self._noted: OrderedDict[str, float] = OrderedDict()  # by pair: until when; the oldest first

    def has(self, account: str, network: str, now: float) -> bool:
        return self._noted.get(pair_key(account, network), now) > now

    def note(self, account: str, network: str, now: float) -> None:
        """Note a pair that is in the database, or on its way there."""
        pair = pair_key(account, network)
        self._noted[pair] = now + NOTED_SECONDS
        self._noted.move_to_end(pair)
        if len(self._noted) > TABLE_LIMIT:
            self._noted.popitem(last=False)

    def forget(self, account: str, network: str) -> None:
        """Forget a pair that did not get into the database."""
        self._noted.pop(pair_key(account, network), None)
