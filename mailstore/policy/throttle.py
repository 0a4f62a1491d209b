"""Slow down and bar clients that guess passwords. Memory is bounded. Pure; `now` is an argument.

The *delay* of a refusal grows with two counts: the distinct wrong passwords of the account, and the distinct accounts
that failed from the network. The same wrong password counts once, so a forgotten old device is no attack. It does not
matter which of the accounts exist. The delay for failures from the same network comes before the check, so that a
client that failed a lot waits before it costs a slow hash. The rest comes after the check.

The *bar* refuses without a check. It refuses one account from one network after too many distinct wrong passwords
there, and a whole network after too many accounts that do not exist. No failure bars an account from another network,
so no stranger elsewhere can lock an owner out.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from mailstore.policy.networks import NAME_CHARACTERS, network, pair_key

DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600
WRONG_PASSWORDS_A_DAY = 50  # per account and network; a person with many devices and an old password stays far below
UNKNOWN_ACCOUNTS_AN_HOUR = 20  # per network; a mistyped address now and then in an office is no attack
TABLE_LIMIT = 20_000  # entries of each table, some 20 MB in all; the oldest are dropped
FIRST_DELAY_SECONDS = 0.25
LONGEST_DELAY_SECONDS = 15.0  # far below the shortest time a mail program waits (30 s)
DELAY_STEPS = 7  # distinct failures that lead from the first delay to the longest; more need no counting


class Limit(StrEnum):
    """What a bar is for."""

    ACCOUNT = "account"  # too many distinct wrong passwords for one account from one network
    NETWORK = "network"  # too many names without an account from one network


class Bar(NamedTuple):
    """A limit that refuses a sign-in, and for how many seconds more."""

    limit: Limit
    seconds: float


@dataclass(slots=True)
class _Failures:
    until: float
    distinct: set[bytes] = field(default_factory=set)


class _Recent(OrderedDict[str, _Failures]):
    """Failures by key, the oldest window first."""

    def __init__(self, window_seconds: float, max_count: int) -> None:
        super().__init__()
        self._window_seconds = window_seconds
        self._max_count = max_count

    def full_seconds(self, key: str, now: float) -> float:
        """Return for how many seconds more the key is full; 0 if it is not."""
        return self[key].until - now if self.count(key, now) >= self._max_count else 0.0

    def count(self, key: str, now: float) -> int:
        found = self.get(key)
        return len(found.distinct) if found is not None and found.until > now else 0

    def has(self, key: str, item: bytes, now: float) -> bool:
        found = self.get(key)
        return found is not None and found.until > now and item in found.distinct

    def add(self, key: str, item: bytes, now: float) -> int:
        """Count `item` once, and return how many distinct items there are now, at most `max_count`."""
        found = self.get(key)
        if found is None or found.until <= now:
            self.pop(key, None)
            found = self[key] = _Failures(until=now + self._window_seconds)
            if len(self) > TABLE_LIMIT:
                self.popitem(last=False)
        if len(found.distinct) < self._max_count:
            found.distinct.add(item)
        return len(found.distinct)

    def discard(self, key: str, item: bytes) -> bool:
        """Stop counting `item`; return True where the key has no items left."""
        found = self.get(key)
        if found is None:
            return True
        found.distinct.discard(item)
        return not found.distinct


class _Good(OrderedDict[str, float]):
    """The keys with a good sign-in within a day, the oldest first."""

    def add(self, key: str, now: float) -> None:
        self[key] = now + DAY_SECONDS
        self.move_to_end(key)
        if len(self) > TABLE_LIMIT:
            self.popitem(last=False)

    def has(self, key: str, now: float) -> bool:
        return self.get(key, 0.0) > now


class Throttle:
    """The memory of one process.

    `client` is an IP address or "unix". `account` is a name in normal form, whether it exists or not. `loopback` says
    that the client is this machine: the users of a webmail come from there, and are no network.
    """

    def __init__(self) -> None:
        self._wrong = _Recent(DAY_SECONDS, DELAY_STEPS)  # passwords by account
        self._failed = _Recent(HOUR_SECONDS, DELAY_STEPS)  # accounts, known or not, by network
        self._guessed = _Recent(DAY_SECONDS, WRONG_PASSWORDS_A_DAY)  # passwords by account and network
        self._unknown = _Recent(HOUR_SECONDS, UNKNOWN_ACCOUNTS_AN_HOUR)  # accounts by network
        self._good_accounts = _Good()  # by account and network
        self._good_networks = _Good()

    def barred(self, client: str, account: str, now: float, *, loopback: bool) -> bool:
        """Say whether this sign-in is refused without a check."""
        return self.bar(client, account, now, loopback=loopback) is not None

    def bar(self, client: str, account: str, now: float, *, loopback: bool) -> Bar | None:
        """Return the limit that refuses this sign-in without a check, if any.

        A good sign-in within a day exempts that account in that network. It also exempts the network from the bar for
        unknown accounts, but not other accounts in it from the bar for wrong passwords.
        """
        where = network(client)
        here = pair_key(account, where)
        if self._good_accounts.has(here, now):
            return None
        if seconds := self._guessed.full_seconds(here, now):
            return Bar(Limit.ACCOUNT, seconds)
        if loopback or self._good_networks.has(where, now):
            return None
        seconds = self._unknown.full_seconds(where, now)
        return Bar(Limit.NETWORK, seconds) if seconds else None

    def wait_seconds(self, client: str, account: str, now: float, *, loopback: bool) -> float:
        """Return how long this sign-in waits before its check, by earlier failures from its own network.

        Failures from other networks never delay an owner who has the right password.
        """
        where = network(client)
        count = self._guessed.count(pair_key(account, where), now)
        if not loopback and not self._good_networks.has(where, now):
            count = max(count, self._failed.count(where, now))
        return _delay_seconds(count)

    def failed(self, client: str, account: str, secret: bytes, now: float, *, unknown: bool, loopback: bool) -> float:
        """Count one failure, and return how many seconds after the request its answer comes.

        This includes the time of `wait_seconds`. `secret` is a keyed digest. `unknown` never changes the delay, so the
        time of an answer does not tell which accounts exist.
        """
        where, name = network(client), account[:NAME_CHARACTERS]
        self._guessed.add(pair_key(name, where), secret, now)
        count = self._wrong.add(name, secret, now)
        if not loopback:
            if unknown:
                self._unknown.add(where, name.encode(), now)
            failed = self._failed.add(where, name.encode(), now)
            if not self._good_networks.has(where, now):
                count = max(count, failed)
        return _delay_seconds(count)

    def tried(self, client: str, account: str, secret: bytes, now: float) -> bool:
        """Say whether this password was wrong there before: then it is a program that repeats it, and no guess."""
        return self._guessed.has(pair_key(account[:NAME_CHARACTERS], network(client)), secret, now)

    def forgive(self, client: str, account: str, secret: bytes) -> None:
        """Take a failure back: it was the previous password of the account, from a device that missed the change."""
        where, name = network(client), account[:NAME_CHARACTERS]
        self._guessed.discard(pair_key(name, where), secret)
        if self._wrong.discard(name, secret):
            self._failed.discard(where, name.encode())

    def succeeded(self, client: str, account: str, now: float) -> None:
        """Remember for a day that this account signed in from this network."""
        where = network(client)
        self._good_accounts.add(pair_key(account, where), now)
        self._good_networks.add(where, now)


def _delay_seconds(count: int) -> float:
    return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** (count - 1)) if count else 0.0
