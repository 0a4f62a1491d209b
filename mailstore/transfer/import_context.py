"""Make what the rows of a check need from other rows of their file: domains, mailboxes and aliases.

The caller rolls all of it back. Only rows that the check has accepted already are made, so a loop of aliases is found
at the row that closes it, as in the run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from django.db.models import QuerySet

from mailstore.directory import aliases, domains, mailbox_batch
from mailstore.directory.audit import Actor
from mailstore.directory.mailbox_judge import Wanted, domain_of
from mailstore.directory.outcome import Rejected
from mailstore.models import MailboxImport, MailboxImportRow, RetentionPolicy
from mailstore.policy.addresses import ALIAS_LEVELS_LIMIT
from mailstore.transfer import import_row
from mailstore.transfer.file_columns import RowKind
from mailstore.transfer.file_preset import STANDS_FOR, TARGETS
from mailstore.transfer.mailbox_columns import ADDRESS

Fate, FileKind = MailboxImportRow.Fate, MailboxImport.Kind
Rows = Sequence[MailboxImportRow]


def make(upload: MailboxImport, rows: Rows, *, actor: Actor, policies: QuerySet[RetentionPolicy]) -> None:
    """Make the rows that these, which are of one kind, build on. Called in a transaction that is rolled back."""
    if upload.kind == FileKind.MAILBOXES or not rows:
        return
    _Context(upload, actor, policies).make(rows)


class _Context:
    def __init__(self, upload: MailboxImport, actor: Actor, policies: QuerySet[RetentionPolicy]) -> None:
        self._upload = upload
        self._actor = actor
        self._policies = policies

    def make(self, rows: Rows) -> None:
        led = self._aliases(rows) if rows[0].kind == RowKind.ALIAS else []
        names = {*import_row.addresses(self._upload, rows), *self._targets([*led, *rows])}
        names |= {row.address for row in led}
        self._make_domains({domain_of(name) for name in names} | self._stood_for(rows))
        self._make_mailboxes(names)
        for row, values in self._values(sorted(led, key=lambda row: row.line)):
            targets = values.pop(TARGETS, [])
            with suppress(Rejected):
                aliases.ensure(row.address, targets, actor=self._actor, look_alike=True, **values)

    def _aliases(self, rows: Rows) -> list[MailboxImportRow]:
        """Return the accepted aliases to which these lead, over all levels."""
        found: dict[str, MailboxImportRow] = {}
        level = self._targets(rows)
        for _level in range(ALIAS_LEVELS_LIMIT + 1):
            next_rows = list(self._accepted(RowKind.ALIAS, addresses=level - found.keys()))
            found |= {row.address: row for row in next_rows}
            level = self._targets(next_rows)
        return list(found.values())

    def _targets(self, rows: Rows) -> set[str]:
        found = set()
        for target in (each for row in rows for each in self._cell(TARGETS, row).replace(",", " ").split()):
            with suppress(Rejected):
                found.add(aliases.normalized(target.strip(";")))
        return found

    def _stood_for(self, rows: Rows) -> set[str]:
        """Return the domains for which others stand, as far as they can be read."""
        found = set()
        for row in rows:
            with suppress(Rejected):
                found.add(domains.normalized(self._cell(STANDS_FOR, row)))
        return found

    def _make_domains(self, names: set[str]) -> None:
        standing = list(self._accepted(RowKind.ALIAS_DOMAIN, addresses=names))
        names = names | self._stood_for(standing)
        for rows in (list(self._accepted(RowKind.DOMAIN, addresses=names)), standing):
            for row, values in self._values(rows):
                with suppress(Rejected):
                    domains.ensure(row.address, actor=self._actor, look_alike=True, **values)

    def _make_mailboxes(self, names: Collection[str]) -> None:
        new = self._accepted(RowKind.MAILBOX, addresses=names).filter(fate=Fate.CREATE)
        wanted = [Wanted(row.address, {}, look_alike=True) for row in new]
        mailbox_batch.ensure(wanted, actor=self._actor, generates=False)

    def _values(self, rows: Rows) -> Iterator[tuple[MailboxImportRow, dict[str, Any]]]:
        reader = import_row.reader(self._upload, rows, policies=self._policies, domains=None)
        for row in rows:
            with suppress(Rejected):
                values = reader.values(row.cells)
                values.pop(ADDRESS, None)
                yield row, values

    def _accepted(self, kind: RowKind, *, addresses: Iterable[str]) -> QuerySet[MailboxImportRow]:
        rows = MailboxImportRow.objects.filter(mailbox_import=self._upload, kind=kind, address__in=[*addresses])
        return rows.filter(fate__in=(Fate.CREATE, Fate.CHANGE)).order_by("line")

    def _cell(self, field: str, row: MailboxImportRow) -> str:
        meaning = self._upload.meaning
        return row.cells[meaning.index(field)] if field in meaning else ""
