"""Check or import rows that are domains. Only hosting admins may."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from mailstore.directory import domains
from mailstore.directory.fields.domain import DOMAIN
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import Domain, MailboxImportRow
from mailstore.transfer import mailbox_import_changes
from mailstore.transfer.import_step import Fate, ImportStep, Values


class DomainImportStep(ImportStep):
    """Some rows of domains. `domains.ensure` does each."""

    def refuse_foreign(self, _address: str) -> None:
        if self.domains is not None:
            raise Rejected(_("only hosting admins create and change domains"))

    def run_rows(self, wanted: Mapping[MailboxImportRow, Values]) -> None:
        for row, values in wanted.items():
            try:
                with transaction.atomic():
                    self._ensure(row, values)
            except Rejected as error:
                self.refuse(row, error)

    def _ensure(self, row: MailboxImportRow, values: Values) -> None:
        if self.only is Only.NEW and Domain.objects.filter(name=row.address, removed_at=None).exists():
            row.fate, row.detail = Fate.SAME, _("%(domain)s already exists") % {"domain": row.address}
            return
        done = domains.ensure(row.address, actor=self.actor, only=self.only, **values)
        row.fate = Fate.CREATE if done.created else Fate.CHANGE if done.changes else Fate.SAME
        row.row_id = done.row.pk
        row.detail = mailbox_import_changes.write_fields(DOMAIN, done.changes, created=done.created)
