"""Who a recipient's address stands for: mailboxes, through +detail, aliases and the catch-all of a domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailstore.errors import (
    AliasOutside,
    MailError,
    QuotaDeferred,
    QuotaRejected,
    RecipientDisabled,
    UnknownRecipient,
)
from mailstore.policy.addresses import BadAddress, lookup_keys, normal_address
from mailstore.policy.aliases import LEVELS_AT_MOST, TARGETS_AT_MOST
from mailstore.ports import Done, Recipient
from mailstore.store import literals
from mailstore.store.lanes import Lanes
from mailstore.store.statements import RECIPIENTS

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

POSTMASTER = "postmaster"


@dataclass(frozen=True, slots=True)
class _Row:
    """A mailbox, or an alias; that one receives while its domain is active."""

    mailbox: int | None
    receives: bool
    fits: bool
    over_quota: str
    targets: tuple[str, ...]


class _Search:
    """One recipient's way to its mailboxes: each round asks for all names that are still open."""

    def __init__(self, lanes: Lanes, address: str, octets: int, done: Done[Recipient]) -> None:
        self._lanes = lanes
        self._address = address
        self._octets = octets
        self._done = done
        self._mailboxes: dict[int, _Row] = {}
        self._asked: set[str] = set()

    def ask(self, keys: dict[str, list[str]], depth: int) -> None:
        """Ask for names, each under the keys that may answer for it, the first first."""
        array = literals.texts({key for group in keys.values() for key in group})
        self._asked.update(keys)
        self._lanes.read(RECIPIENTS, (array, b"%d" % self._octets), lambda answer: self._answered(answer, keys, depth))

    def _answered(self, answer: PGresult | MailError, keys: dict[str, list[str]], depth: int) -> None:
        if isinstance(answer, MailError):
            self._done(answer)
            return
        found = {(answer.get_value(row, 0) or b"").decode(): _row(answer, row) for row in range(answer.ntuples)}
        following: list[str] = []
        for name, group in keys.items():
            row = next((found[key] for key in group if key in found), None)
            if row is None:
                self._done(UnknownRecipient(name) if depth == 0 else AliasOutside(f"{self._address}: {name}"))
                return
            if row.mailbox is not None:
                self._mailboxes[row.mailbox] = row
            elif row.receives:
                following.extend(target for target in row.targets if target not in self._asked)
        if not following:
            self._done(self._decide())
        elif depth == LEVELS_AT_MOST or len(following) + len(self._mailboxes) > TARGETS_AT_MOST:
            self._done(AliasOutside(f"{self._address}: more than {LEVELS_AT_MOST} levels or {TARGETS_AT_MOST} targets"))
        else:
            self.ask({name: _keys(name) for name in following}, depth + 1)

    def _decide(self) -> Recipient | MailError:
        """All or none: what only some of an alias could take would be lost for the others, or arrive twice."""
        open_mailboxes = {key: row for key, row in self._mailboxes.items() if row.receives}
        if not open_mailboxes:
            return RecipientDisabled(self._address)
        for row in open_mailboxes.values():
            if not row.fits:
                return QuotaRejected(self._address) if row.over_quota == "reject" else QuotaDeferred(self._address)
        return Recipient(self._address, tuple(sorted(open_mailboxes)))


def find(lanes: Lanes, address: str, octets: int | None, done: Done[Recipient], *, hostname: str) -> None:
    """Decide one recipient for a message of `octets` (None: not announced, so one octet must fit).

    `hostname` is this site's own name: the bare postmaster is the one of its domain.
    """
    # RFC 5321 §4.5.1: in any case, and without a domain.
    if address.lower() == POSTMASTER:
        keys = {POSTMASTER: _postmaster_keys(hostname)}
    else:
        try:
            name = normal_address(address)
        except (BadAddress, UnicodeEncodeError):
            done(UnknownRecipient(address))
            return
        keys = {name: _keys(name)}
    _Search(lanes, address, octets or 1, done).ask(keys, 0)


def _postmaster_keys(hostname: str) -> list[str]:
    """Of mail.example.org: the postmaster there, else in example.org, with the catch-all of each."""
    labels = hostname.lower().split(".")
    domains = [".".join(labels[at:]) for at in range(len(labels))]
    return [key for domain in domains for key in (f"{POSTMASTER}@{domain}", f"@{domain}")]


def _keys(name: str) -> list[str]:
    return [*lookup_keys(name), f"@{name.rpartition('@')[2]}"]


def _row(answer: PGresult, row: int) -> _Row:
    def value(column: int) -> bytes:
        return answer.get_value(row, column) or b""

    return _Row(
        mailbox=int(value(1)) if value(1) else None,
        receives=value(2) == b"t",
        fits=value(3) == b"t",
        over_quota=value(4).decode(),
        targets=tuple(value(5).decode().split("\n")) if value(5) else (),
    )
