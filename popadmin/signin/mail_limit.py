"""How often this process mails somebody: about a forgotten password, or a code."""

from __future__ import annotations

import time

from mailstore.policy.networks import is_loopback, network
from mailstore.policy.rate_limit import RateLimit

HOUR_SECONDS = 3600
NETWORK_HOURLY = 20  # an office that returns from its holidays; more is somebody who tries names
ACCOUNT_HOURLY = 3  # mails to one person: he may mistype, and wait for the first one
LOCAL = "unix"  # a request that came by a unix socket has no address

_by_network = RateLimit(NETWORK_HOURLY, HOUR_SECONDS)
_by_account = RateLimit(ACCOUNT_HOURLY, HOUR_SECONDS)


def from_network(client: str) -> bool:
    """Count one asking from where this client is; False when there were too many. This machine is no network: a
    proxy on it that tells no addresses must not make all people one."""
    client = client or LOCAL
    return is_loopback(client) or _by_network.allowed(network(client), time.monotonic())


def for_account(name: str) -> bool:
    """Count one mail for this account, known or not; False when there were too many."""
    return _by_account.allowed(name, time.monotonic())
