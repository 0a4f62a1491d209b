"""Undo one change of a mailbox that is in the audit, as long as nobody has changed the same fields since."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from mailstore.directory import mailboxes
from mailstore.directory.audit import Actor
from mailstore.directory.fields.field import Kind
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import AuditEntry, Mailbox, User
from popadmin.web import people

VERB = "mailbox.change"
# Notes are not in the audit, and a policy is chosen where its consequences are shown.
_FIELDS = {field.name for field in MAILBOX if not field.private and field.kind is not Kind.POLICY}


def previous_values(entry: AuditEntry, mailbox: Mailbox, user: User) -> dict[str, Any]:
    """Return the values before the change, for `mailboxes.ensure`; empty if it cannot be undone now by this user."""
    changes: dict[str, Any] = entry.details.get("changes", {})
    if entry.verb != VERB or not changes or not changes.keys() <= _FIELDS:
        return {}
    if not people.is_host(user) and not changes.keys().isdisjoint(MAILBOX.set_by_hosts()):
        return {}
    if any(MAILBOX[name].value(mailbox) != new for name, (_old, new) in changes.items()):
        return {}
    return {name: old for name, (old, _new) in changes.items()}


def undo(entry: AuditEntry, mailbox: Mailbox, user: User, *, actor: Actor) -> None:
    """Set the previous values. Rejected if the change cannot be undone."""
    values = previous_values(entry, mailbox, user)
    if not values:
        raise Rejected(_("this change cannot be undone any more: somebody has changed the same setting since"))
    mailboxes.ensure(mailbox.user.address, actor=actor, only=Only.THERE, **values)


def last_change(mailbox: Mailbox, user: User) -> AuditEntry | None:
    """Return the change that this user has just made."""
    return AuditEntry.objects.filter(mailbox=mailbox, actor=user, verb=VERB).order_by("-pk").first()
