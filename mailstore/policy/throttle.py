"""Who is guessing passwords: distinct failures counted, bounded in memory; pure, `now` is an argument.

Distinct wrong passwords per account (the same wrong one counts once, so a forgotten old device is no attack), distinct
unknown accounts per network, and an exemption for an address with a good sign-in that day. Failures are answered later
and later; above a limit they are not tried at all.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field

DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600
WRONG_PASSWORDS_A_DAY = 50  # per account; a person with many devices and an old password stays far below
UNKNOWN_ACCOUNTS_AN_HOUR = 20  # per network; a mistyped address now and then in an office is no attack
TABLE_LIMIT = 20_000  # accounts, networks and known addresses remembered each: some 10 MB, the oldest go
NAME_CHARACTERS = 254  # as long as an address can be; what is longer is nobody's, and fills no memory
FIRST_DELAY_SECONDS = 0.25
LONGEST_DELAY_SECONDS = 15.0  # far below the shortest time a mail program waits (30 s)


@dataclass(slots=True)
class _Failures:
    until: float
    distinct: set[bytes] = field(default_factory=set)


class _Recent(OrderedDict[str, _Failures]):
    """Failures by key, the oldest window first."""

    def at(self, key: str, now: float) -> int:
        found = self.get(key)
        return len(found.distinct) if found and found.until > now else 0

    def add(self, key: str, what: bytes, now: float, *, window_seconds: float, most: int) -> int:
        found = self.get(key)
        if found is None or found.until <= now:
            self.pop(key, None)
            found = self[key] = _Failures(until=now + window_seconds)
            if len(self) > TABLE_LIMIT:
                self.popitem(last=False)
        if len(found.distinct) < most:
            found.distinct.add(what)
        return len(found.distinct)


class Throttle:
    """The memory of one process. `client` is an IP address; `account` the address that was tried, known or not, in one
    form for all of its spellings."""

    def __init__(self) -> None:
        self._accounts = _Recent()
        self._networks = _Recent()
        self._known: OrderedDict[str, float] = OrderedDict()

    def barred(self, client: str, account: str, now: float) -> bool:
        """True when this try is not to be made at all. An address with a good sign-in within a day never is."""
        if self._known.get(client, 0.0) > now:
            return False
        return (
            self._accounts.at(account[:NAME_CHARACTERS], now) >= WRONG_PASSWORDS_A_DAY
            or self._networks.at(network(client), now) >= UNKNOWN_ACCOUNTS_AN_HOUR
        )

    def failed(self, client: str, account: str, secret: bytes, now: float, *, unknown: bool) -> float:
        """Count one failure and return for how many seconds its answer waits. `secret` is a keyed digest."""
        count = self._accounts.add(
            account[:NAME_CHARACTERS], secret, now, window_seconds=DAY_SECONDS, most=WRONG_PASSWORDS_A_DAY
        )
        if not _is_loopback(client):
            where = network(client)
            if unknown:
                name = account.encode()[:NAME_CHARACTERS]
                self._networks.add(where, name, now, window_seconds=HOUR_SECONDS, most=UNKNOWN_ACCOUNTS_AN_HOUR)
            if self._known.get(client, 0.0) <= now:
                count = max(count, self._networks.at(where, now))
        return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(count - 1, 10))

    def succeeded(self, client: str, now: float) -> None:
        """Remember the address for a day."""
        self._known[client] = now + DAY_SECONDS
        self._known.move_to_end(client)
        if len(self._known) > TABLE_LIMIT:
            self._known.popitem(last=False)


def network(client: str) -> str:
    """The /24 or /48 an address belongs to; other texts (a unix socket) stand for themselves."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


def _is_loopback(client: str) -> bool:
    return client == "::1" or client.startswith("127.") or client == "unix"
