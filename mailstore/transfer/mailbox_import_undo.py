"""Undo an import, in steps: new mailboxes are removed and can be restored, changed ones get their former values.

A row that is undone, or that cannot be, is no longer `done`; its detail says which.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mailstore.directory import bulk_sql, mailbox_batch, mailbox_removal
from mailstore.directory.audit import Actor
from mailstore.directory.mailbox_batch import Answer
from mailstore.directory.mailbox_judge import Wanted, domain_of
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import Mailbox, MailboxImport, MailboxImportRow, RetentionPolicy
from mailstore.transfer import mailbox_import_changes

STEP_ROWS = 50  # a mailbox that is removed needs its own statements
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


def step(upload: MailboxImport, *, actor: Actor, domains: Collection[str] | None) -> bool:
    """Undo the next rows, the last first. Return whether rows are left. `domains` as in `mailbox_import.step`.

    Several callers may call this at once, since it locks the import's row. Rejected before the import has ended.
    """
    with transaction.atomic():
        row = MailboxImport.objects.select_for_update().get(pk=upload.pk)
        if row.stage != Stage.DONE:
            raise Rejected(_("the import has not ended yet"))
        rows = list(waiting(row).order_by("-line")[:STEP_ROWS])
        _undo([each for each in rows if each.fate == Fate.CHANGE], actor, domains)
        for each in rows:
            if each.fate == Fate.CREATE:
                each.detail = _removed(each.address, actor, domains)
            each.done = each.password_due = False
        bulk_sql.update(rows, ("done", "password_due", "detail"))
        return waiting(row).exists()


def _removed(address: str, actor: Actor, domains: Collection[str] | None) -> str:
    """Remove a mailbox that the import has created; return what became of it."""
    try:
        _refuse_foreign(address, domains)
        mailbox_removal.remove(address, actor=actor, with_mail=True)
    except Rejected as refusal:
        return str(refusal)
    return _("undone: the mailbox is removed")


def _undo(rows: list[MailboxImportRow], actor: Actor, domains: Collection[str] | None) -> None:
    """Give changed mailboxes their former values, and set the details of their rows."""
    found = Mailbox.objects.select_related("user", "policy")
    boxes = {box.user.address: box for box in found.filter(user__in=bulk_sql.user_ids([row.address for row in rows]))}
    policies = {policy.name: policy for policy in RetentionPolicy.objects.all()} if rows else {}
    wanted: dict[str, Wanted] = {}
    for row in rows:
        try:
            wanted[row.address] = _former(row, boxes, policies, domains)
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


def _former(
    row: MailboxImportRow,
    boxes: Mapping[str, Mailbox],
    policies: Mapping[str, RetentionPolicy],
    domains: Collection[str] | None,
) -> Wanted:
    """Return what a mailbox was before. Rejected where it cannot be so again, and where only a password was set."""
    _refuse_foreign(row.address, domains)
    if row.address not in boxes:
        raise Rejected(_("%(address)s is no mailbox any more") % {"address": row.address})
    fields = mailbox_import_changes.former(boxes[row.address], mailbox_import_changes.read(row.detail), policies)
    if not fields:
        raise Rejected(_("former passwords and notes are not kept: not undone"))
    return Wanted(row.address, fields)  # type: ignore[arg-type]  # fields that the import has set


def _refuse_foreign(address: str, domains: Collection[str] | None) -> None:
    name = domain_of(address)
    if domains is not None and name not in domains:
        raise Rejected(_("%(domain)s is not one of your domains.") % {"domain": name})
