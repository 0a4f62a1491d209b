"""Undo one row of an import that is no mailbox: what is new is removed, the rest gets its former values or address."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from mailstore.directory import alias_loop, aliases, domain_removal, domains, rename_undo
from mailstore.directory.audit import Actor
from mailstore.directory.fields.domain import ALIAS, DOMAIN
from mailstore.directory.mailbox_judge import domain_of
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias, AuditEntry, Domain, MailboxImport, MailboxImportRow, RetentionPolicy
from mailstore.transfer import mailbox_import_changes
from mailstore.transfer.file_preset import TARGETS

_Fate, _Kind = MailboxImportRow.Fate, MailboxImportRow.Kind


def undone(upload: MailboxImport, row: MailboxImportRow, *, actor: Actor, domains: Collection[str] | None) -> str:
    """Undo the row. Return what became of it, in one sentence. `domains` as in `mailbox_import.step`."""
    undo = {_Kind.ALIAS: _undo_alias, _Kind.RENAME: _undo_rename}.get(_Kind(row.kind), _undo_domain)
    try:
        with transaction.atomic():
            return undo(upload, row, actor, domains)
    except Rejected as refusal:
        return str(refusal)


def _undo_alias(
    upload: MailboxImport, row: MailboxImportRow, actor: Actor, allowed_domains: Collection[str] | None
) -> str:
    alias_loop.lock()
    there = Alias.objects.filter(pk=row.row_id or 0).first()
    _refuse_foreign(row.address if there is None else there.address, allowed_domains)
    if there is None:
        raise Rejected(_("%(address)s is not an alias of this site") % {"address": row.address})
    _refuse_changed(upload, Q(subject__in={row.address, there.address}, verb__startswith="alias."))
    if row.fate == _Fate.CREATE:
        aliases.remove(there.address, actor=actor)
        return _("undone: the alias is removed")
    fields = mailbox_import_changes.former(there, mailbox_import_changes.read(row.detail), {}, table=ALIAS)
    aliases.ensure(there.address, fields.pop(TARGETS, there.targets), actor=actor, **fields)
    return _("undone: it is as it was before")


def _undo_domain(
    upload: MailboxImport, row: MailboxImportRow, actor: Actor, allowed_domains: Collection[str] | None
) -> str:
    alias_loop.lock()
    there = Domain.objects.select_for_update().filter(pk=row.row_id or 0).first()
    _refuse_foreign(row.address if there is None else there.name, allowed_domains)
    domain = domains.existing(row.address, there)
    _refuse_changed(upload, Q(domain=domain.pk, verb__startswith="domain."))
    if row.fate == _Fate.CREATE:
        domain_removal.remove(domain.name, actor=actor, with_mailboxes=False)
        return _("undone: the domain is removed")
    fields = mailbox_import_changes.former(domain, mailbox_import_changes.read(row.detail), _policies(), table=DOMAIN)
    domains.ensure(domain.name, actor=actor, **fields)
    return _("undone: it is as it was before")


def _undo_rename(
    upload: MailboxImport, row: MailboxImportRow, actor: Actor, allowed_domains: Collection[str] | None
) -> str:
    (change,) = mailbox_import_changes.read(row.detail)
    _refuse_foreign(row.address, allowed_domains)
    _refuse_foreign(change.new or "", allowed_domains)
    own = AuditEntry.objects.filter(details__contains={"import": upload.pk}, verb=rename_undo.OF_MAILBOX)
    entry = own.filter(mailbox=row.row_id or 0, subject=change.new).order_by("-pk").first()
    if entry is None:
        raise Rejected(_("it was renamed or deleted since then: not undone"))
    rename_undo.of_mailbox(entry, actor=actor)
    return _("undone: the mailbox has its former address")


def _policies() -> Mapping[str, Any]:
    return {policy.name: policy for policy in RetentionPolicy.objects.all()}


def _refuse_foreign(address: str, allowed_domains: Collection[str] | None) -> None:
    name = domain_of(address)
    if allowed_domains is not None and name not in allowed_domains:
        raise Rejected(_("%(domain)s is not one of your domains.") % {"domain": name})


def _refuse_changed(upload: MailboxImport, entries: Q) -> None:
    """Refuse where the last change of the alias or the domain is not that of the import."""
    last = AuditEntry.objects.filter(entries).exclude(verb="domain.rename").order_by("-pk").first()
    if last is None or last.details.get("import") != upload.pk:
        raise Rejected(_("somebody has changed it since then: not undone"))
