"""Check or import rows that are aliases, or forwards of mailboxes."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from mailstore.directory import alias_targets, aliases
from mailstore.directory.fields.domain import ALIAS
from mailstore.directory.outcome import Changes, Only, Rejected
from mailstore.models import Alias, Domain, Mailbox, MailboxImportRow
from mailstore.transfer import mailbox_import_changes
from mailstore.transfer.file_preset import TARGETS
from mailstore.transfer.import_step import Fate, ImportStep, Values

KEEP_COPY = "keep_copy"
GOTO = "goto"  # the column of a program that keeps a copy only where the mailbox is a target itself


class AliasImportStep(ImportStep):
    """Some rows of aliases. `aliases.ensure` does each."""

    def run_rows(self, wanted: Mapping[MailboxImportRow, Values]) -> None:
        for row, values in wanted.items():
            try:
                with transaction.atomic():
                    self._ensure(row, values)
            except Rejected as error:
                self.refuse(row, error)

    def try_rows(self, wanted: Mapping[MailboxImportRow, Values]) -> None:
        """Also note the targets that lead to nobody, neither here nor in the rest of the file."""
        self.run_rows(wanted)
        targets = {row: self._targets(row, values) for row, values in wanted.items()}
        unknown = self._unknown({target for each in targets.values() for target in each})
        for row, own in targets.items():
            lost = [target for target in own if target in unknown]
            if lost and row.fate in (Fate.CREATE, Fate.CHANGE):
                row.detail = mailbox_import_changes.with_nowhere(row.detail, lost)

    def _ensure(self, row: MailboxImportRow, values: Values) -> None:
        there = Alias.objects.filter(address=row.address).first()
        if self.only is Only.NEW and there is not None:
            row.fate, row.detail = Fate.SAME, _("%(address)s is already an alias") % {"address": row.address}
            return
        targets = self._targets(row, values) or (there.targets if there is not None else [])
        if targets == [row.address] and _is_mailbox(row.address):
            row.fate, row.detail = Fate.SAME, _("a mailbox gets its own mail without an alias")
            return
        fields = {name: value for name, value in values.items() if name != TARGETS}
        if KEEP_COPY not in fields and row.address not in targets and self._copies_say_so():
            fields[KEEP_COPY] = False
        done = aliases.ensure(row.address, targets, actor=self.actor, only=self.only, **fields)
        changes: Changes = done.changes
        if done.created:
            changes = {TARGETS: (None, done.row.targets), **changes}
        row.fate = Fate.CREATE if done.created else Fate.CHANGE if changes else Fate.SAME
        row.row_id = done.row.pk
        row.detail = mailbox_import_changes.write_fields(ALIAS, changes, created=done.created)

    def _copies_say_so(self) -> bool:
        return GOTO in (name.strip().lower() for name in self.upload.header)

    def _targets(self, row: MailboxImportRow, values: Values) -> list[str]:
        """Return the targets of a row in normal form; those that are no addresses are refused later."""
        found = []
        for target in values.get(TARGETS, []):
            try:
                found.append(aliases.normalized(target))
            except Rejected:
                found.append(target)
        return found

    def _unknown(self, targets: set[str]) -> set[str]:
        seen = Domain.objects.filter(removed_at=None)
        if self.domains is not None:
            seen = seen.filter(name__in=self.domains)
        lost = alias_targets.unknown(targets, within=seen)
        rows = MailboxImportRow.objects.filter(mailbox_import=self.upload, address__in=lost).exclude(fate=Fate.WRONG)
        return lost - set(rows.values_list("address", flat=True))


def _is_mailbox(address: str) -> bool:
    return Mailbox.objects.filter(user__address=address, removed_at=None).exists()
