"""Limit how often this process mails a link or a code to somebody."""

from __future__ import annotations

import time

from mailstore.policy.networks import is_loopback, network
from mailstore.policy.rate_limit import RateLimit

HOUR_SECONDS = 3600
NETWORK_HOURLY = 20  # an office after its holidays; more is somebody who tries names
ACCOUNT_HOURLY = 3  # mails to one person, who may mistype and try again
LOCAL = "unix"  # a request that came by a unix socket has no address

_by_network = RateLimit(NETWORK_HOURLY, HOUR_SECONDS)
_by_account = RateLimit(ACCOUNT_HOURLY, HOUR_SECONDS)


def from_network(client: str) -> bool:
    """Count a request from this client's network; False above the limit. Requests from this machine are not counted:
    behind a proxy that passes no addresses, all users would share one limit."""
    client = client or LOCAL
    return is_loopback(client) or _by_network.allowed(network(client), time.monotonic())


def for_account(name: str) -> bool:
    """Count a mail for this account, known or not; return False above the limit."""
    return _by_account.allowed(name, time.monotonic())
