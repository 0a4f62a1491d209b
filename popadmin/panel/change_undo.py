"""Undo one change of a mailbox that is in the audit, as long as nobody has changed the same fields since.

The timeline of a mailbox, the recent operations and the notices after a change all ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import mailboxes
from mailstore.directory.audit import Actor
from mailstore.directory.fields.field import Kind
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import AuditEntry, Mailbox, User
from popadmin.web import people

VERB = "mailbox.change"
# Notes are not in the audit, and a policy is chosen where its consequences are shown.
FIELDS = {field.name for field in MAILBOX if not field.private and field.kind is not Kind.POLICY}
_NEWER = gettext_lazy("something newer was done to it")


def refusal(entry: AuditEntry, mailbox: Mailbox, user: User) -> str:
    """Return why this user cannot undo the change now; empty if it can be undone."""
    changes = _changes(entry)
    if not changes or not changes.keys() <= FIELDS:
        return _("this kind of change has no undo")
    if not people.is_host(user) and not changes.keys().isdisjoint(MAILBOX.set_by_hosts()):
        return _("only a hosting admin can undo it")
    now = {name: MAILBOX[name].value(mailbox) for name in changes}
    if all(now[name] == old for name, (old, _new) in changes.items()):
        return _("already undone")
    if any(now[name] != new for name, (_old, new) in changes.items()):
        return str(_NEWER)
    return ""


def refusals(entries: Iterable[AuditEntry], mailboxes_by_key: Mapping[int, Mailbox], user: User) -> dict[int, str]:
    """Return the refusal of each change, by its key. They come latest first: of two of one field only one is undone."""
    found: dict[int, str] = {}
    seen: set[tuple[int | None, str]] = set()
    for entry in entries:
        mailbox = mailboxes_by_key.get(entry.mailbox_id or 0)
        if mailbox is None or entry.verb != VERB:
            continue
        fields = {(entry.mailbox_id, name) for name in _changes(entry)}
        found[entry.pk] = refusal(entry, mailbox, user) or ("" if seen.isdisjoint(fields) else str(_NEWER))
        seen |= fields
    return found


def undo(entry: AuditEntry, mailbox: Mailbox, user: User, *, actor: Actor) -> None:
    """Set the previous values. Rejected if the change cannot be undone."""
    if refusal(entry, mailbox, user):
        raise Rejected(_("this change cannot be undone any more: somebody has changed the same setting since"))
    values: Any = {name: old for name, (old, _new) in _changes(entry).items()}
    mailboxes.ensure(mailbox.user.address, actor=actor, only=Only.THERE, **values)


def last_change(mailbox: Mailbox, user: User) -> AuditEntry | None:
    """Return the change that this user has just made."""
    return AuditEntry.objects.filter(mailbox=mailbox, actor=user, verb=VERB).order_by("-pk").first()


def _changes(entry: AuditEntry) -> dict[str, Any]:
    return entry.details.get("changes", {}) if entry.verb == VERB else {}
