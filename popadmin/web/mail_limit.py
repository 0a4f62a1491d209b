"""How many mails this web process sends to one person, whoever asks for them, and for one network."""

from __future__ import annotations

import time
from collections import OrderedDict

from mailstore.policy.networks import is_loopback, network

HOUR_SECONDS = 3600
NETWORK_HOURLY = 20  # requests for a mail: an office after its holidays; more means that somebody tries names
ACCOUNT_HOURLY = 3  # mails to one person, who may mistype and try again
ADMIN_HOURLY = 100  # invitations of an admin to addresses that nobody has proven: none may mail strangers at will
KEYS_LIMIT = 20_000  # networks or accounts that are counted, some 4 MB; the oldest are dropped


class RateLimit:
    """Limit how often something may be done under one key: `max_count` times in a window. Memory is bounded."""

    def __init__(self, max_count: int, window_seconds: int) -> None:
        self._max_count = max_count
        self._window_seconds = window_seconds
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()  # by key: end of the window, count so far

    def allowed(self, key: str, now: float) -> bool:
        """Count once under the key; return False if that is above the limit."""
        until, count = self._counts.get(key, (0.0, 0))
        if until <= now:
            self._counts.pop(key, None)
            until, count = now + self._window_seconds, 0
        self._counts[key] = (until, count + 1)
        if len(self._counts) > KEYS_LIMIT:
            self._counts.popitem(last=False)
        return count < self._max_count


_mails_by_network = RateLimit(NETWORK_HOURLY, HOUR_SECONDS)
_mails_by_account = RateLimit(ACCOUNT_HOURLY, HOUR_SECONDS)
_invitations_by_admin = RateLimit(ADMIN_HOURLY, HOUR_SECONDS)


def may_request_mail(client: str) -> bool:
    """Count a request for a mail from this client's network. Return False above the limit.

    Requests from this machine are not counted (by a unix socket they have no address): behind a proxy that passes no
    addresses, all users would share a limit.
    """
    return not client or is_loopback(client) or _mails_by_network.allowed(network(client), time.monotonic())


def may_mail(account: str) -> bool:
    """Count a mail to this account, known or not. Return False above the limit."""
    return _mails_by_account.allowed(account, time.monotonic())


def may_invite(admin: str) -> bool:
    """Count an invitation that this admin sends to an address that nobody has proven. Return False above the limit."""
    return _invitations_by_admin.allowed(admin, time.monotonic())
