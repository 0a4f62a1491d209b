"""Check or import some rows of an upload together, by `mailbox_batch`. `mailbox_import` chooses the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mailstore.directory import bulk_sql, mailbox_batch, mailbox_lookup
from mailstore.directory.audit import Actor
from mailstore.directory.mailbox_batch import Answer
from mailstore.directory.mailbox_judge import AlreadyThere, Wanted, domain_of
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import MailboxImport, MailboxImportRow, RetentionPolicy
from mailstore.transfer import mailbox_import_changes
from mailstore.transfer.mailbox_columns import ADDRESS, PASSWORD, BadCell, Reader

PASSWORDS_MOST = 64  # slow hashes in a step: they take about a second on two cores
ONLY = {MailboxImport.Mode.CREATE: Only.NEW, MailboxImport.Mode.UPDATE: Only.THERE, MailboxImport.Mode.BOTH: None}
CHECKED = ("fate", "column", "detail", "address")  # the columns that a check writes
Fate = MailboxImportRow.Fate


class MailboxImportStep:
    """The first of the given rows, with at most PASSWORDS_MOST passwords. `domains` and `policies` as in `step`."""

    def __init__(
        self,
        upload: MailboxImport,
        rows: Sequence[MailboxImportRow],
        *,
        actor: Actor,
        domains: Collection[str] | None,
        policies: QuerySet[RetentionPolicy],
    ) -> None:
        self._upload = upload
        self._rows = rows[: _few_passwords(upload, rows)]
        self._actor = actor
        self._only = ONLY[MailboxImport.Mode(upload.mode)]
        self._domains = domains
        self._reader = Reader(upload.meaning, [row.cells for row in self._rows], policies, domains)
        self._first_lines = self._lines_before()

    def check(self) -> None:
        """Store for each row what the run would make of it now. Nothing else is written."""
        wanted = dict(self._wanted())
        answers = mailbox_batch.check(list(wanted.values()), actor=self._actor, only=self._only)
        self._set_fates(wanted, answers)
        bulk_sql.update(self._rows, CHECKED)

    def run(self) -> None:
        """Import the rows and store the fate of each. Their cells are emptied, since they may hold passwords."""
        wanted = dict(self._wanted())
        answers = mailbox_batch.ensure(list(wanted.values()), actor=self._actor, only=self._only, generates=False)
        self._set_fates(wanted, answers)
        for row in self._rows:
            row.done = row.fate != Fate.WRONG
            row.password_due = row.done and row.fate == Fate.CREATE and wanted[row].password is None
        bulk_sql.update(self._rows, (*CHECKED, "done", "password_due"))
        empty(MailboxImportRow.objects.filter(pk__in=[row.pk for row in self._rows]), len(self._upload.header))

    def _wanted(self) -> Iterator[tuple[MailboxImportRow, Wanted]]:
        """Yield what each row asks for. A row that cannot be read or is not allowed gets its fate here."""
        for row in self._rows:
            row.column = row.detail = ""
            try:
                yield row, self._read(row)
            except BadCell as error:
                row.fate, row.detail, row.column = Fate.WRONG, str(error), self._upload.title(error.column)
            except Rejected as error:
                self._refuse(row, error)

    def _read(self, row: MailboxImportRow) -> Wanted:
        fields = self._reader.values(row.cells)
        row.address = mailbox_lookup.normalized(fields.pop(ADDRESS, ""))
        self._refuse_foreign(row.address)
        self._refuse_twice(row)
        password = fields.pop(PASSWORD, None)
        return Wanted(row.address, fields, password)  # type: ignore[arg-type]  # the columns are some of the fields

    def _set_fates(self, rows: Mapping[MailboxImportRow, Wanted], answers: Iterable[Answer]) -> None:
        for (row, wanted), answer in zip(rows.items(), answers, strict=True):
            if isinstance(answer, AlreadyThere):
                row.fate, row.detail = Fate.SAME, str(answer)
            elif isinstance(answer, Rejected):
                self._refuse(row, answer)
            else:
                row.fate = Fate.CREATE if answer.created else Fate.CHANGE if answer.changes else Fate.SAME
                password = wanted.password is not None if answer.created else "password_changed_at" in answer.changes
                row.detail = mailbox_import_changes.write(
                    answer.row, answer.changes, created=answer.created, password=password
                )

    def _refuse(self, row: MailboxImportRow, error: Rejected) -> None:
        """Set the fate of a refused row, and the column to blame if the file has it: by default that of the address."""
        row.fate, row.detail = Fate.WRONG, str(error)
        field = error.field or ADDRESS
        if field in self._upload.meaning:
            row.column = self._upload.title(self._upload.meaning.index(field))

    def _refuse_foreign(self, address: str) -> None:
        """Refuse a domain that the actor may not change, in the words for one that does not exist."""
        name = domain_of(address)
        if self._domains is not None and name not in self._domains:
            raise Rejected(_("%(domain)s is not a domain of this site: create it first") % {"domain": name})

    def _refuse_twice(self, row: MailboxImportRow) -> None:
        first = self._first_lines.setdefault(row.address, row.line)
        if first < row.line:
            raise Rejected(_("line %(line)d has the same address") % {"line": first})

    def _lines_before(self) -> dict[str, int]:
        """Return the addresses of these rows that earlier steps had already, each with its first line."""
        place = self._upload.meaning.index(ADDRESS)
        addresses = set()
        for row in self._rows:
            with suppress(Rejected):
                addresses.add(mailbox_lookup.normalized(row.cells[place]))
        before = MailboxImportRow.objects.filter(mailbox_import=self._upload, address__in=addresses)
        before = before.filter(line__lt=min((row.line for row in self._rows), default=0))
        return dict(before.order_by("-line").values_list("address", "line"))


def empty(rows: QuerySet[MailboxImportRow], columns: int) -> None:
    """Empty all cells of rows that are never read again: even a column that is skipped may hold passwords."""
    rows.update(cells=[""] * columns)


def _few_passwords(upload: MailboxImport, rows: Sequence[MailboxImportRow]) -> int:
    """Return how many of the rows, from the first, one step takes."""
    if PASSWORD not in upload.meaning:
        return len(rows)
    place = upload.meaning.index(PASSWORD)
    with_password = [number for number, row in enumerate(rows) if row.cells[place]]
    return len(rows) if len(with_password) <= PASSWORDS_MOST else with_password[PASSWORDS_MOST]
