"""Undo one row of an import that is an alias or a domain: what is new is removed, the rest gets its former values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from mailstore.directory import aliases, domain_removal, domains
from mailstore.directory.audit import Actor
from mailstore.directory.fields.domain import ALIAS, DOMAIN
from mailstore.directory.mailbox_judge import domain_of
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias, AuditEntry, MailboxImport, MailboxImportRow, RetentionPolicy
from mailstore.transfer import mailbox_import_changes
from mailstore.transfer.file_preset import TARGETS

_Fate, _Kind = MailboxImportRow.Fate, MailboxImportRow.Kind


def undone(upload: MailboxImport, row: MailboxImportRow, *, actor: Actor, domains: Collection[str] | None) -> str:
    """Undo the row. Return what became of it, in one sentence. `domains` as in `mailbox_import.step`."""
    is_alias = row.kind == _Kind.ALIAS
    try:
        with transaction.atomic():
            _refuse_foreign(row, domains)
            _refuse_changed(upload, row, "alias." if is_alias else "domain.")
            return _undo_alias(row, actor) if is_alias else _undo_domain(row, actor)
    except Rejected as refusal:
        return str(refusal)


def _undo_alias(row: MailboxImportRow, actor: Actor) -> str:
    if row.fate == _Fate.CREATE:
        aliases.remove(row.address, actor=actor)
        return _("undone: the alias is removed")
    there = Alias.objects.get(address=row.address)
    fields = mailbox_import_changes.former(there, mailbox_import_changes.read(row.detail), {}, table=ALIAS)
    aliases.ensure(row.address, fields.pop(TARGETS, there.targets), actor=actor, **fields)
    return _("undone: it is as it was before")


def _undo_domain(row: MailboxImportRow, actor: Actor) -> str:
    if row.fate == _Fate.CREATE:
        domain_removal.remove(row.address, actor=actor, with_mailboxes=False)
        return _("undone: the domain is removed")
    changes = mailbox_import_changes.read(row.detail)
    fields = mailbox_import_changes.former(domains.get(row.address), changes, _policies(), table=DOMAIN)
    domains.ensure(row.address, actor=actor, **fields)
    return _("undone: it is as it was before")


def _policies() -> Mapping[str, Any]:
    return {policy.name: policy for policy in RetentionPolicy.objects.all()}


def _refuse_foreign(row: MailboxImportRow, domains: Collection[str] | None) -> None:
    name = domain_of(row.address)
    if domains is not None and name not in domains:
        raise Rejected(_("%(domain)s is not one of your domains.") % {"domain": name})


def _refuse_changed(upload: MailboxImport, row: MailboxImportRow, verbs: str) -> None:
    """Refuse where the last change of the alias or the domain is not that of the import."""
    entries = AuditEntry.objects.filter(subject=row.address, verb__startswith=verbs)
    last = entries.order_by("-pk").first()
    if last is None or last.details.get("import") != upload.pk:
        raise Rejected(_("somebody has changed it since then: not undone"))
