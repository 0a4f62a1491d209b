"""Check or run some rows that give mailboxes other addresses, by `mailbox_rename`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db import transaction

from mailstore.directory import mailbox_lookup, mailbox_rename
from mailstore.directory.outcome import Rejected
from mailstore.models import MailboxImportRow
from mailstore.transfer import mailbox_import_changes
from mailstore.transfer.file_columns import NEW_ADDRESS
from mailstore.transfer.import_step import Fate, ImportStep, Values


class RenameImportStep(ImportStep):
    """Some rows with the old and the new address of a mailbox. The old one becomes an alias."""

    rows_at_most: ClassVar[int] = 20  # each locks all aliases, so others wait for the step

    def run_rows(self, wanted: Mapping[MailboxImportRow, Values]) -> None:
        for row, values in wanted.items():
            try:
                with transaction.atomic():
                    self._rename(row, mailbox_lookup.normalized(values.get(NEW_ADDRESS, "")))
            except Rejected as error:
                self.refuse(row, error)

    def _rename(self, row: MailboxImportRow, new: str) -> None:
        self.refuse_foreign(new)
        if mailbox_rename.is_done(row.address, new):
            row.fate = Fate.SAME
            return
        row.row_id = mailbox_rename.rename(row.address, new, actor=self.actor).pk
        row.fate, row.detail = Fate.CHANGE, mailbox_import_changes.write_rename(row.address, new)
