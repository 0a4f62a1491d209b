"""The rows of RECIPIENTS and OURS as values: mailboxes, aliases and forwards, and our domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A mailbox. `fits`: the message fits into its quota. `capped` is its domain if that has a quota of its own."""

    mailbox: int
    receives: bool
    fits: bool
    over_quota: str
    capped: int | None


@dataclass(frozen=True, slots=True)
class AliasRow:
    """An alias, or a forward if a mailbox has the same name. It receives while its domain is active.

    It has no targets if all of them wait for their confirmation. Then a forward keeps a copy.
    """

    receives: bool
    targets: tuple[str, ...]
    keep_copy: bool


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One of our domains. `stands_for` is the domain in which its addresses are looked up, if that is another one."""

    stands_for: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class NameRows:
    """What one query found, by name."""

    mailboxes: dict[str, MailboxRow]
    aliases: dict[str, AliasRow]

    def known(self, keys: list[str]) -> str:
        """Return the first key that is known; empty if none is."""
        return next((key for key in keys if key in self.mailboxes or key in self.aliases), "")

    def of(self, keys: list[str]) -> tuple[MailboxRow | None, AliasRow | None]:
        """Return the mailbox, and the alias or forward, of the first key that is known."""
        key = self.known(keys)
        return self.mailboxes.get(key), self.aliases.get(key)


def name_rows(answer: PGresult) -> NameRows:
    """Read the rows of RECIPIENTS."""
    result = NameRows({}, {})
    for row in range(answer.ntuples):
        name = (answer.get_value(row, 0) or b"").decode()
        if answer.get_value(row, 1) is None:
            result.aliases[name] = _alias(answer, row)
        else:
            result.mailboxes[name] = _mailbox(answer, row)
    return result


def _mailbox(answer: PGresult, row: int) -> MailboxRow:
    capped = answer.get_value(row, 5)
    return MailboxRow(
        mailbox=int(answer.get_value(row, 1) or b""),
        receives=answer.get_value(row, 2) == b"t",
        fits=answer.get_value(row, 3) == b"t",
        over_quota=(answer.get_value(row, 4) or b"").decode(),
        capped=int(capped) if capped else None,
    )


def _alias(answer: PGresult, row: int) -> AliasRow:
    targets = answer.get_value(row, 6)
    return AliasRow(
        receives=answer.get_value(row, 2) == b"t",
        targets=tuple(targets.decode().split("\n")) if targets else (),
        keep_copy=answer.get_value(row, 7) == b"t",
    )


def domain_rows(answer: PGresult) -> dict[str, DomainRow]:
    """Read the rows of OURS, by the name of the domain."""
    found: dict[str, DomainRow] = {}
    for row in range(answer.ntuples):
        stands_for = answer.get_value(row, 1)
        name = (answer.get_value(row, 0) or b"").decode()
        found[name] = DomainRow(stands_for.decode() if stands_for else None, answer.get_value(row, 2) == b"t")
    return found
