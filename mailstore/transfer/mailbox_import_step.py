"""Check or import rows that are mailboxes together, by `mailbox_batch`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from mailstore.directory import existing_password, mailbox_batch
from mailstore.directory.existing_password import ExistingPassword
from mailstore.directory.mailbox_batch import Answer
from mailstore.directory.mailbox_judge import AlreadyThere, Wanted
from mailstore.directory.outcome import Rejected
from mailstore.models import MailboxImportRow
from mailstore.transfer import mailbox_import_changes
from mailstore.transfer.import_step import Fate, ImportStep, Values
from mailstore.transfer.mailbox_columns import PASSWORD, SECRETS

PASSWORDS_MOST = 64  # slow hashes in a step: they take about a second on two cores


class MailboxImportStep(ImportStep):
    """Some rows of mailboxes, with at most PASSWORDS_MOST passwords."""

    rows_at_most: ClassVar[int] = 500  # they take as many statements as one

    def first_of(self, rows: Sequence[MailboxImportRow]) -> Sequence[MailboxImportRow]:
        rows = rows[: self.rows_at_most]
        places = [self.upload.meaning.index(field) for field in SECRETS if field in self.upload.meaning]
        slow = [number for number, row in enumerate(rows) if any(_is_slow(row.cells[place]) for place in places)]
        return rows if len(slow) <= PASSWORDS_MOST else rows[: slow[PASSWORDS_MOST]]

    def try_rows(self, wanted: Mapping[MailboxImportRow, Values]) -> None:
        requests = [_wanted(row, values) for row, values in wanted.items()]
        self._set_fates(wanted, requests, mailbox_batch.check(requests, actor=self.actor, only=self.only))

    def run_rows(self, wanted: Mapping[MailboxImportRow, Values]) -> None:
        requests = [_wanted(row, values) for row, values in wanted.items()]
        answers = mailbox_batch.ensure(requests, actor=self.actor, only=self.only, generates=False)
        self._set_fates(wanted, requests, answers)
        for row, each in zip(wanted, requests, strict=True):
            row.password_due = row.fate == Fate.CREATE and each.password is None

    def _set_fates(
        self, rows: Iterable[MailboxImportRow], requests: Iterable[Wanted], answers: Iterable[Answer]
    ) -> None:
        for row, wanted, answer in zip(rows, requests, answers, strict=True):
            if isinstance(answer, AlreadyThere):
                row.fate, row.detail = Fate.SAME, str(answer)
            elif isinstance(answer, Rejected):
                self.refuse(row, answer)
            else:
                row.fate = Fate.CREATE if answer.created else Fate.CHANGE if answer.changes else Fate.SAME
                row.row_id = answer.row.pk
                password = wanted.password is not None if answer.created else "password_changed_at" in answer.changes
                row.detail = mailbox_import_changes.write(
                    answer.row, answer.changes, created=answer.created, password=password
                )


def _wanted(row: MailboxImportRow, values: Values) -> Wanted:
    fields = {name: value for name, value in values.items() if name != PASSWORD}
    return Wanted(row.address, fields, values.get(PASSWORD))  # type: ignore[arg-type]  # the columns are some fields


def _is_slow(cell: str) -> bool:
    """Return whether a cell of passwords needs a slow hash: it has one, and not a hash already."""
    try:
        password = existing_password.of_cell(cell) if cell else ExistingPassword("", "")
    except Rejected:
        return False
    return isinstance(password, str) or password.encoded is None
