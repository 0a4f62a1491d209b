"""Take back a rename that is in the audit: the former name returns, and the alias that the rename made goes."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from mailstore.directory import alias_loop, aliases, domain_rename, mailbox_rename
from mailstore.directory.audit import Actor
from mailstore.directory.mailbox_judge import domain_of
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, Domain, Mailbox

OF_MAILBOX, OF_DOMAIN = "mailbox.rename", "domain.rename"  # verbs of the audit


def mailbox_refusal(entry: AuditEntry, mailbox: Mailbox) -> str:
    """Return why this rename of the mailbox cannot be taken back now; empty if it can."""
    old = entry.details.get("old_address")
    if old is None:
        return _("it came from another domain: rename it back")
    if domain_of(old) != domain_of(entry.subject):
        return _("its domain was renamed: undo that")
    return _refusal(entry, mailbox.user.address, old)


def domain_refusal(entry: AuditEntry, domain: Domain) -> str:
    """Return the same of a rename of the domain."""
    return _refusal(entry, domain.name, entry.details["old_name"])


def of_mailbox(entry: AuditEntry, *, actor: Actor) -> None:
    """Give the mailbox its former address. An alias that had given way for the rename comes back.

    Rejected if it cannot be taken back any more, as by `mailbox_rename.rename`, and as by `aliases.restore`.
    """
    with transaction.atomic():
        alias_loop.lock()
        mailbox = Mailbox.objects.select_related("user").filter(pk=entry.mailbox_id or 0, removed_at=None).first()
        _refuse(_("it no longer exists") if mailbox is None else mailbox_refusal(entry, mailbox))
        old = entry.details["old_address"]
        mailbox_rename.rename(entry.subject, old, actor=actor, keep_alias=False, look_alike=True)
        removed = AuditEntry.objects.filter(pk=entry.details.get("undo_data", {}).get("alias")).first()
        if removed is not None:
            aliases.restore(removed, actor=actor)


def of_domain(entry: AuditEntry, *, actor: Actor) -> None:
    """Give the domain its former name. The newer name then stands for it only if it did so before the rename.

    Rejected if it cannot be taken back any more, and as by `domain_rename.rename`.
    """
    with transaction.atomic():
        alias_loop.lock()
        domain = Domain.objects.filter(pk=entry.domain_id or 0, removed_at=None).first()
        _refuse(_("it no longer exists") if domain is None else domain_refusal(entry, domain))
        stood_before = not entry.details.get("undo_data", {}).get("made_alias")
        old = entry.details["old_name"]
        domain_rename.rename(entry.subject, old, actor=actor, keep_alias=stood_before, look_alike=True)


def _refusal(entry: AuditEntry, now: str, old: str) -> str:
    if now == old:
        return _("already undone")
    return "" if now == entry.subject else _("something newer was done to it")


def _refuse(why: str) -> None:
    if why:
        raise Rejected(_("the rename cannot be undone: %(why)s") % {"why": why})
