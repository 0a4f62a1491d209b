"""Undo one change or rename of a mailbox that is in the audit, as long as nobody has changed the same since.

Values alone cannot tell, as they can come round again: the audit is asked for newer entries of the same fields. The
timeline of a mailbox, the recent operations and the notices after a change all ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import mailboxes, rename_undo, row_locks
from mailstore.directory.audit import Actor
from mailstore.directory.fields.field import Kind
from mailstore.directory.fields.mailbox import MAILBOX
from mailstore.directory.outcome import Only, Rejected
from mailstore.models import AuditEntry, Mailbox, User
from popadmin.panel import newest_entries
from popadmin.panel.newest_entries import Newest
from popadmin.web import people

VERB = newest_entries.MAILBOX_CHANGE
VERBS = (VERB, rename_undo.OF_MAILBOX)
# Notes are not in the audit, and a policy is chosen where its consequences are shown.
FIELDS = {field.name for field in MAILBOX if not field.private and field.kind is not Kind.POLICY}
_NEWER = gettext_lazy("something newer was done to it")


def refusal(entry: AuditEntry, mailbox: Mailbox, user: User) -> str:
    """Return why this user cannot undo the change of this mailbox now; empty if it can be undone."""
    return _refusal(entry, mailbox, user, newest_entries.of([entry]))


def refusals(
    entries: Iterable[AuditEntry], mailboxes_by_key: Mapping[int, Mailbox], user: User, newest: Newest | None = None
) -> dict[int, str]:
    """Return the refusal of each change, by its key. `newest` is of these entries; None looks it up."""
    changes = [entry for entry in entries if entry.verb in VERBS and entry.mailbox_id in mailboxes_by_key]
    newest = newest or newest_entries.of(changes)
    return {entry.pk: _refusal(entry, mailboxes_by_key[entry.mailbox_id or 0], user, newest) for entry in changes}


def undo(entry: AuditEntry, mailbox: Mailbox, user: User, *, actor: Actor) -> None:
    """Set the previous values. Rejected if the change cannot be undone, as judged while nobody else can change it."""
    if entry.verb == rename_undo.OF_MAILBOX:
        rename_undo.of_mailbox(entry, actor=actor)
        return
    with row_locks.of_mailbox(mailbox):
        if refusal(entry, mailbox, user):
            raise Rejected(_("this change cannot be undone any more: somebody has changed the same setting since"))
        values: Any = {name: old for name, (old, _new) in _changes(entry).items()}
        mailboxes.ensure(mailbox.user.address, actor=actor, only=Only.THERE, **values)


def url_of_last(mailbox: Mailbox, user: User) -> str:
    """Return the URL that undoes the change or the rename that this user has just made; empty if nothing can."""
    entry = AuditEntry.objects.filter(mailbox=mailbox, actor=user, verb__in=VERBS).order_by("-pk").first()
    if entry is None or refusal(entry, mailbox, user):
        return ""
    return reverse("mailboxes-change-undo", args=[mailbox.pk, entry.pk])


def _refusal(entry: AuditEntry, mailbox: Mailbox, user: User, newest: Newest) -> str:
    if entry.verb == rename_undo.OF_MAILBOX:
        return rename_undo.mailbox_refusal(entry, mailbox) or (str(_NEWER) if newest.is_past(entry) else "")
    changes = _changes(entry)
    if not changes or not changes.keys() <= FIELDS:
        return _("this kind of change has no undo")
    if not people.is_host(user) and not changes.keys().isdisjoint(MAILBOX.set_by_hosts()):
        return _("only a hosting admin can undo it")
    now = {name: MAILBOX[name].value(mailbox) for name in changes}
    if all(now[name] == old for name, (old, _new) in changes.items()):
        return _("already undone")
    if any(now[name] != new for name, (_old, new) in changes.items()) or newest.is_past(entry, fields=changes):
        return str(_NEWER)
    return ""


def _changes(entry: AuditEntry) -> dict[str, Any]:
    return entry.details.get("changes", {}) if entry.verb == VERB else {}
