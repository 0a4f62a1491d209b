"""Undo an import, in steps: new mailboxes are removed and can be restored, changed ones get their former values.

Aliases and domains are undone by `row_undo`. A row that is undone, or that cannot be, is no longer `done`; its detail
says which. A mailbox is found by its key, whatever its name is by now. The audit tells whether somebody has changed it
since.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.directory import audit, bulk_sql, mailbox_batch, mailbox_removal, removal_state, row_locks
from mailstore.directory.audit import Actor
from mailstore.directory.mailbox_batch import Answer
from mailstore.directory.mailbox_judge import Wanted, domain_of
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import AuditEntry, Mailbox, MailboxImport, MailboxImportRow, RetentionPolicy
from mailstore.transfer import mailbox_import_changes, row_undo

STEP_ROWS = 50  # a mailbox that is removed needs its own statements
# Verbs of the audit that change nothing of a mailbox.
UNCHANGING = ("denied", "mailbox.export", "mailbox.hashes", "mailbox.import", "mailbox.invite", "mailbox.rename")
_OTHERS = {"aliases_removed": "alias.remove", "domains_removed": "domain.remove"}  # facts of the audit, with verbs
_OTHER_VERBS = ("alias.remove", "alias.change", "domain.remove", "domain.change")
_RENAME_VERBS = ("mailbox.rename",)  # the alias that goes with it is no row of its own
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
    """The mailboxes of some rows, by key, and the keys of those that were also changed otherwise than by the import.

    `domains` as in `step`.
    """

    boxes: Mapping[int, Mailbox]
    changed_since: Collection[int]
    domains: Collection[str] | None

    @classmethod
    def locked(cls, upload: MailboxImport, keys: Collection[int], domains: Collection[str] | None) -> _Now:
        """Read and lock the mailboxes, so that they stay as they are compared. The batch would lock them likewise."""
        boxes = row_locks.lock_mailboxes(keys)
        entries = AuditEntry.objects.filter(mailbox__in=boxes).exclude(verb__in=UNCHANGING).order_by()
        others = entries.exclude(details__contains={"import": upload.pk})
        return cls(boxes, set(others.values_list("mailbox", flat=True)), domains)

    def own(self, row: MailboxImportRow) -> Mailbox:
        """Return the mailbox that the row wrote. Rejected where it is gone, or the actor may not change it."""
        box = self.boxes.get(row.row_id or 0)
        name = domain_of(row.address) if box is None else box.domain.name
        if self.domains is not None and name not in self.domains:  # the words name no domain that it went to
            raise Rejected(_("%(domain)s is not one of your domains.") % {"domain": domain_of(row.address)})
        if box is None:
            raise Rejected(_("the mailbox %(address)s was deleted for good: not undone") % {"address": row.address})
        if box.removed_at is not None:
            raise removal_state.refusal(box)
        return box

    def own_unchanged(self, row: MailboxImportRow) -> Mailbox:
        """Return the same of a row that made it. Rejected also where anything of it was changed since."""
        box = self.own(row)
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
    now = _Now.locked(upload, [each.row_id for each in rows if each.row_id is not None], domains)
    _undo([each for each in rows if each.fate == Fate.CHANGE], actor, now)
    for each in rows:
        if each.fate == Fate.CREATE:
            each.detail = _removed(each, actor, now)


def _removed(row: MailboxImportRow, actor: Actor, now: _Now) -> str:
    """Remove a mailbox that the import has created; return what became of it. Mail that it got since rests with it."""
    try:
        address = now.own_unchanged(row).user.address
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
    wanted: dict[MailboxImportRow, Wanted] = {}
    for row in rows:
        try:
            wanted[row] = _former(row, now, policies)
        except Rejected as refusal:
            row.detail = str(refusal)
    answers = mailbox_batch.ensure([*wanted.values()], actor=actor, only=Only.THERE)
    for row, answer in zip(wanted, answers, strict=True):
        row.detail = _result(row, answer)


def _result(row: MailboxImportRow, answer: Answer) -> str:
    if isinstance(answer, Rejected):
        return str(answer)
    if any(change.new is None for change in mailbox_import_changes.read(row.detail)):
        return _("undone, but not its password or notes: they are not kept")
    return _("undone: it is as it was before")


def _former(row: MailboxImportRow, now: _Now, policies: Mapping[str, RetentionPolicy]) -> Wanted:
    """Return what a mailbox was before. Rejected where it cannot be so again, and where only a password was set."""
    box = now.own(row)
    fields = mailbox_import_changes.former(box, mailbox_import_changes.read(row.detail), policies)
    if not fields:
        raise Rejected(_("former passwords and notes are not kept: not undone"))
    return Wanted(box.user.address, fields)  # type: ignore[arg-type]  # fields that the import has set


def _record_end(upload: MailboxImport, actor: Actor) -> None:
    """Write one audit entry for the whole undo. Each mailbox has an entry of its own."""
    own = AuditEntry.objects.filter(details__import=upload.pk)
    done = own.filter(verb="mailbox_import.done").aggregate(Max("pk"))["pk__max"] or 0
    verbs = own.filter(pk__gt=done).order_by().values_list("verb").annotate(Count("pk"))
    sums: dict[str, int] = dict(verbs)
    facts: dict[str, Any] = {name: sums[verb] for name, verb in _OTHERS.items() if verb in sums}
    removed, set_back = sums.get("mailbox.remove", 0), sums.get("mailbox.change", 0)
    of_rows = _RENAME_VERBS if upload.kind == MailboxImport.Kind.RENAMES else _OTHER_VERBS
    others = sum(sums.get(verb, 0) for verb in of_rows)
    audit.record(
        actor,
        "mailbox_import.undone",
        upload.file_name,
        mailboxes_removed=removed,
        set_back=set_back,
        not_undone=of(upload).count() - removed - set_back - others,
        **facts,
    )
