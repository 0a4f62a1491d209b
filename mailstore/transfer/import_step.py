"""Check or import some rows of one kind of an upload. The modules beside this one know what each kind does.

A check does what the run would do, in a transaction that it rolls back. So a row may need what another row of the file
brings: `import_context` makes that first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from mailstore.directory import bulk_sql
from mailstore.directory.audit import Actor
from mailstore.directory.mailbox_judge import domain_of
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import MailboxImport, MailboxImportRow, RetentionPolicy
from mailstore.transfer import file_columns, import_context, import_row
from mailstore.transfer.mailbox_columns import ADDRESS
from mailstore.transfer.row_reader import BadCell, Reader

ONLY = {MailboxImport.Mode.CREATE: Only.NEW, MailboxImport.Mode.UPDATE: Only.THERE, MailboxImport.Mode.BOTH: None}
SHOWN_CHARACTERS = 254  # of an address that cannot be read
CHECKED = ("fate", "column", "detail", "address")  # the columns that a check writes
Fate = MailboxImportRow.Fate
Values = dict[str, Any]


class ImportStep:
    """The first of the given rows, which are of one kind. `domains` and `policies` as in `mailbox_import.step`."""

    rows_at_most: ClassVar[int] = 100  # each has statements of its own

    def __init__(
        self,
        upload: MailboxImport,
        rows: Sequence[MailboxImportRow],
        *,
        actor: Actor,
        domains: Collection[str] | None,
        policies: QuerySet[RetentionPolicy],
    ) -> None:
        self.upload = upload
        self.rows = self.first_of(rows)
        self.actor = actor
        self.only = ONLY[MailboxImport.Mode(upload.mode)]
        self.domains = domains
        self.policies = policies
        self.first_lines = self._lines_before()

    def check(self) -> None:
        """Store for each row what the run would make of it now. Nothing else is written."""
        with transaction.atomic():
            import_context.make(self.upload, self.rows, actor=self.actor, policies=self.policies)
            wanted = dict(self._wanted())
            self.try_rows(wanted)
            transaction.set_rollback(True)
        bulk_sql.update(self.rows, CHECKED)

    def run(self) -> None:
        """Import the rows and store the fate of each. Their cells are emptied, since they may hold passwords."""
        wanted = dict(self._wanted())
        self.run_rows(wanted)
        for row in self.rows:
            row.done = row.fate != Fate.WRONG
        bulk_sql.update(self.rows, (*CHECKED, "row_id", "done", "password_due"))
        empty(MailboxImportRow.objects.filter(pk__in=[row.pk for row in self.rows]), len(self.upload.header))

    def try_rows(self, wanted: Mapping[MailboxImportRow, Values]) -> None:
        """Set the fate of each row as the run would."""
        self.run_rows(wanted)

    def run_rows(self, wanted: Mapping[MailboxImportRow, Values]) -> None:
        """Do what the rows say, and set the fate of each."""
        raise NotImplementedError

    def first_of(self, rows: Sequence[MailboxImportRow]) -> Sequence[MailboxImportRow]:
        return rows[: self.rows_at_most]

    def refuse_foreign(self, address: str) -> None:
        """Refuse a domain that the actor may not change, in the words for one that does not exist."""
        name = domain_of(address)
        if self.domains is not None and name not in self.domains:
            raise Rejected(_("%(domain)s is not a domain of this site: create it first") % {"domain": name})

    def refuse(self, row: MailboxImportRow, error: Rejected) -> None:
        """Set the fate of a refused row, and the column to blame if the file has it: by default that of the address."""
        row.fate, row.detail = Fate.WRONG, str(error)
        field = error.field or ADDRESS
        if field in self.upload.meaning:
            row.column = self.upload.title(self.upload.meaning.index(field))

    @cached_property
    def _reader(self) -> Reader:
        return import_row.reader(self.upload, self.rows, policies=self.policies, domains=self.domains)

    def _wanted(self) -> Iterator[tuple[MailboxImportRow, Values]]:
        """Yield what each row asks for. A row that cannot be read or is not allowed gets its fate here."""
        for row in self.rows:
            row.column = row.detail = ""
            try:
                yield row, self._read(row)
            except BadCell as error:
                row.fate, row.detail, row.column = Fate.WRONG, str(error), self.upload.title(error.column)
            except Rejected as error:
                self.refuse(row, error)

    def _read(self, row: MailboxImportRow) -> Values:
        typed = file_columns.address_of(self.upload.meaning, row.cells)
        row.address = typed[:SHOWN_CHARACTERS]  # a wrong row shows it too
        self._reader.check_kind(row.cells)
        row.address = import_row.normal(row.kind, typed)
        self.refuse_foreign(row.address)
        self._refuse_twice(row)
        values = self._reader.values(row.cells)
        values.pop(ADDRESS, None)
        return values

    def _refuse_twice(self, row: MailboxImportRow) -> None:
        first = self.first_lines.setdefault(row.address, row.line)
        if first < row.line:
            raise Rejected(_("line %(line)d has the same address") % {"line": first})

    def _lines_before(self) -> dict[str, int]:
        """Return the addresses of these rows that earlier steps had already, each with its first line."""
        found = set(import_row.addresses(self.upload, self.rows))
        before = MailboxImportRow.objects.filter(
            mailbox_import=self.upload, address__in=found, kind__in=import_row.same_kind(self.rows[0].kind)
        )
        before = before.filter(line__lt=min(row.line for row in self.rows))
        return dict(before.order_by("-line").values_list("address", "line"))


def empty(rows: QuerySet[MailboxImportRow], columns: int) -> None:
    """Empty all cells of rows that are never read again: even a column that is skipped may hold passwords."""
    rows.update(cells=[""] * columns)
