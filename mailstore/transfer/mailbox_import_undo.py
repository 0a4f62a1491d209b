"""Undo an import, in steps: new mailboxes are removed and can be restored, changed ones get their former values.

Aliases and domains are undone by `row_undo`. A row that is undone, or that cannot be, is no longer `done`; its detail
says which. The audit tells whether a mailbox is the one that the import wrote, and whether somebody has changed it
since.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.directory import audit, bulk_sql, mailbox_batch, mailbox_removal, removal_state
from mailstore.directory.audit import Actor
from mailstore.directory.mailbox_batch import Answer
from mailstore.directory.mailbox_judge import BatchRows, Wanted, domain_of
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import AuditEntry, Mailbox, MailboxImport, MailboxImportRow, RetentionPolicy
from mailstore.transfer import mailbox_import_changes, row_undo

STEP_ROWS = 50  # a mailbox that is removed needs its own statements
# Verbs of the audit that change nothing of a mailbox.
UNCHANGING = ("denied", "mailbox.export", "mailbox.hashes", "mailbox.import", "mailbox.invite")
_OTHERS = {"aliases_removed": "alias.remove", "domains_removed": "domain.remove"}  # facts of the audit, with verbs
Stage, Fate = MailboxImport.Stage, MailboxImportRow.Fate


def of(upload: MailboxImport) -> QuerySet[MailboxImportRow]:
    """Return the rows that have changed something."""
    return MailboxImportRow.objects.filter(mailbox_import=upload, fate__in=(Fate.CREATE, Fate.CHANGE))


def waiting(upload: MailboxImport) -> QuerySet[MailboxImportRow]:
    """Return those of them that an undo has not reached yet."""
    return of(upload).filter(done=True)


def with_changes(uploads: Collection[int]) -> set[int]:
    """Return the keys of those of the imports that have changes which an undo has not reached yet."""
    rows = MailboxImportRow.objects.filter(mailbox_import__in=uploads, fate__in=(Fate.CREATE, Fate.CHANGE), done=True)
    return set(rows.order_by().values_list("mailbox_import", flat=True).distinct())


@dataclass(frozen=True, slots=True)
class _Now:
    """The mailboxes of some rows, by address, and the keys of those that the import has written, and that others have.

    `domains` as in `step`.
    """

    boxes: Mapping[str, Mailbox]
    imported: Collection[int]
    changed_since: Collection[int]
    domains: Collection[str] | None

    @classmethod
    def locked(
        cls, upload: MailboxImport, addresses: Sequence[str], actor: Actor, domains: Collection[str] | None
    ) -> _Now:
        """Read and lock the mailboxes, so that they stay as they are compared. The batch would lock them likewise."""
        boxes = BatchRows.read([Wanted(address, {}) for address in addresses], actor=actor, lock=True).mailboxes
        entries = AuditEntry.objects.filter(mailbox__in=[box.pk for box in boxes.values()]).order_by()
        numbers = entries.values_list("mailbox").annotate(
            imported=Count("pk", filter=Q(details__import=upload.pk)),
            changes=Count("pk", filter=~Q(verb__in=UNCHANGING)),
        )
        found = list(numbers)
        return cls(
            boxes,
            {key for key, imported, _changes in found if imported},
            {key for key, imported, changes in found if changes > imported},
            domains,
        )

    def own(self, address: str) -> Mailbox:
        """Return the mailbox that the import wrote. Rejected where it is gone, or the actor may not change it."""
        name = domain_of(address)
        if self.domains is not None and name not in self.domains:
            raise Rejected(_("%(domain)s is not one of your domains.") % {"domain": name})
        if address not in self.boxes:
            raise Rejected(_("%(address)s is no mailbox any more") % {"address": address})
        box = self.boxes[address]
        if box.pk not in self.imported:
            raise Rejected(_("%(address)s is another mailbox now: not undone") % {"address": address})
        if box.removed_at is not None:
            raise removal_state.refusal(box)
        return box

    def own_unchanged(self, address: str) -> Mailbox:
        """Return the same. Rejected also where anything of it was changed since."""
        box = self.own(address)
        if box.pk in self.changed_since:
            raise Rejected(_("somebody has changed it since then: not undone"))
        return box


def step(upload: MailboxImport, *, actor: Actor, domains: Collection[str] | None) -> bool:
    """Undo the next rows, the last first. Return whether rows are left. `domains` as in `mailbox_import.step`.

    Several callers may call this at once, since it locks the import's row. Rejected before the import has ended.
    """
    with transaction.atomic():
        row = MailboxImport.objects.select_for_update().get(pk=upload.pk)
        if row.stage != Stage.DONE:
            raise Rejected(_("the import has not ended yet"))
        rows = list(waiting(row).order_by("-kind", "-line")[:STEP_ROWS])  # what others build on comes last
        if not rows:
            return False
        rows = list(takewhile(lambda each: each.kind == rows[0].kind, rows))
        actor = actor.within("import", row.pk)
        if rows[0].kind == MailboxImportRow.Kind.MAILBOX:
            _undo_mailboxes(row, rows, actor, domains)
        else:
            for each in rows:
                each.detail = row_undo.undone(row, each, actor=actor, domains=domains)
        for each in rows:
            each.done = each.password_due = False
        bulk_sql.update(rows, ("done", "password_due", "detail"))
        left = waiting(row).exists()
        if not left:
            _record_end(row, actor)
    return left


def _undo_mailboxes(
    upload: MailboxImport, rows: list[MailboxImportRow], actor: Actor, domains: Collection[str] | None
) -> None:
    now = _Now.locked(upload, [each.address for each in rows], actor, domains)
    _undo([each for each in rows if each.fate == Fate.CHANGE], actor, now)
    for each in rows:
        if each.fate == Fate.CREATE:
            each.detail = _removed(each.address, actor, now)


def _removed(address: str, actor: Actor, now: _Now) -> str:
    """Remove a mailbox that the import has created; return what became of it. Mail that it got since rests with it."""
    try:
        now.own_unchanged(address)
        removed = mailbox_removal.remove(address, actor=actor, with_mail=True)
    except Rejected as refusal:
        return str(refusal)
    if not removed.messages:
        return _("undone: the mailbox is removed")
    return ngettext(
        "undone: the mailbox is removed, its %(count)s message rests with it",
        "undone: the mailbox is removed, its %(count)s messages rest with it",
        removed.messages,
    ) % {"count": removed.messages}


def _undo(rows: list[MailboxImportRow], actor: Actor, now: _Now) -> None:
    """Give changed mailboxes their former values, and set the details of their rows."""
    policies = {policy.name: policy for policy in RetentionPolicy.objects.all()} if rows else {}
    wanted: dict[str, Wanted] = {}
    for row in rows:
        try:
            wanted[row.address] = _former(row, now, policies)
        except Rejected as refusal:
            row.detail = str(refusal)
    answers = dict(zip(wanted, mailbox_batch.ensure([*wanted.values()], actor=actor, only=Only.THERE), strict=True))
    for row in rows:
        if row.address in answers:
            row.detail = _result(row, answers[row.address])


def _result(row: MailboxImportRow, answer: Answer) -> str:
    if isinstance(answer, Rejected):
        return str(answer)
    if any(change.new is None for change in mailbox_import_changes.read(row.detail)):
        return _("undone, but not its password or notes: they are not kept")
    return _("undone: it is as it was before")


def _former(row: MailboxImportRow, now: _Now, policies: Mapping[str, RetentionPolicy]) -> Wanted:
    """Return what a mailbox was before. Rejected where it cannot be so again, and where only a password was set."""
    fields = mailbox_import_changes.former(now.own(row.address), mailbox_import_changes.read(row.detail), policies)
    if not fields:
        raise Rejected(_("former passwords and notes are not kept: not undone"))
    return Wanted(row.address, fields)  # type: ignore[arg-type]  # fields that the import has set


def _record_end(upload: MailboxImport, actor: Actor) -> None:
    """Write one audit entry for the whole undo. Each mailbox has an entry of its own."""
    own = AuditEntry.objects.filter(details__import=upload.pk)
    done = own.filter(verb="mailbox_import.done").aggregate(Max("pk"))["pk__max"] or 0
    verbs = own.filter(pk__gt=done).order_by().values_list("verb").annotate(Count("pk"))
    sums: dict[str, int] = dict(verbs)
    facts: dict[str, Any] = {name: sums[verb] for name, verb in _OTHERS.items() if verb in sums}
    removed, set_back = sums.get("mailbox.remove", 0), sums.get("mailbox.change", 0)
    others = sum(sums.get(verb, 0) for verb in ("alias.remove", "alias.change", "domain.remove", "domain.change"))
    audit.record(
        actor,
        "mailbox_import.undone",
        upload.file_name,
        mailboxes_removed=removed,
        set_back=set_back,
        not_undone=of(upload).count() - removed - set_back - others,
        **facts,
    )
