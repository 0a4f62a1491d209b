"""Fold refusals of names that nobody has, so that a stranger who tries many costs a bounded number of rows. Pure.

Refusals of one hour with the same sender and recipient are one row. Of one domain an hour keeps NAMES_OF_AN_HOUR
names; what comes above is one row without a name. The same holds for domains above DOMAINS_OF_AN_HOUR together, and
for all domains once they have had NAMES_IN_ALL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

NAMES_OF_AN_HOUR = 200  # of one domain, in one process: more than the typing errors of a large customer
DOMAINS_OF_AN_HOUR = 5_000  # in one process: 2 MB with their names, and more than a site hosts that are tried
NAMES_IN_ALL = 20_000  # of an hour, in one process: 2 MB, and as many rows, however many domains are tried
KEY_OCTETS = 16


class Fold(NamedTuple):
    """The row that a refusal belongs to: by its key, and with what it still says."""

    key: bytes
    sender: str
    recipient: str
    domain: str


@dataclass(slots=True)
class FoldRoom:
    """The names of this hour that have a row of their own.

    `known` tells the domain and the key of rows of an hour that another process has made, so that many short-lived
    processes keep to the same bounds.
    """

    known: Callable[[datetime], Iterable[tuple[str, bytes]]] = lambda _hour: ()
    _hour: datetime | None = None
    _names: dict[str, set[bytes]] = field(default_factory=dict)  # by domain, digests of sender and recipient
    _count: int = 0  # of all names

    def fold(self, at: datetime, reason: str, sender: str, recipient: str, message: str = "") -> Fold:
        """Return the row of a refusal at this time. Times are given in order.

        `message` tells messages of one sender to one recipient apart; without it they share a row.
        """
        hour = at.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour = hour
            self._names.clear()
            self._count = 0
            for known_domain, key in self.known(hour):
                self._names.setdefault(known_domain, set()).add(key)
                self._count += 1
        domain = recipient.rpartition("@")[2].lower()
        if domain not in self._names and len(self._names) >= DOMAINS_OF_AN_HOUR:
            return Fold(_key(hour, reason, "", "", ""), "", "", "")
        names, name = self._names.setdefault(domain, set()), _key(hour, reason, sender, recipient, domain, message)
        if name not in names:
            if len(names) >= NAMES_OF_AN_HOUR or self._count >= NAMES_IN_ALL:
                return Fold(_key(hour, reason, "", "", domain), "", "", domain)
            names.add(name)
            self._count += 1
        return Fold(name, sender, recipient, domain)


def _key(hour: datetime, *parts: str) -> bytes:
    text = "\0".join((hour.isoformat(), *parts))
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=KEY_OCTETS).digest()
