"""What an admin can do about an answer that a sender got: a link to the page that changes the cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from mailstore.models import TraceEntry, User
from mailstore.policy.addresses import BadAddress, normal_address
from popadmin.panel import access
from popadmin.web import people

Reason = TraceEntry.Reason


@dataclass(frozen=True, slots=True)
class Remedy:
    label: str
    url: str


def of(entry: TraceEntry, user: User) -> Remedy | None:
    """Return what helps, as far as this user may do it. One statement at most."""
    find = _REMEDIES.get(entry.reason)
    return None if find is None else find(entry, user)


def name_of(entry: TraceEntry) -> str:
    """Return the recipient in normal form; as it was given if it has none."""
    try:
        return normal_address(entry.recipient)
    except BadAddress:
        return entry.recipient.lower()


def _quota(entry: TraceEntry, user: User) -> Remedy | None:
    return _mailbox(entry, user, _("Raise quota…"), "#id_quota_octets")


def _switch(entry: TraceEntry, user: User) -> Remedy | None:
    return _mailbox(entry, user, _("Change the mailbox…"), "")


def _mailbox(entry: TraceEntry, user: User, label: str, field: str) -> Remedy | None:
    if entry.mailbox_id is None or not access.mailboxes(user).filter(pk=entry.mailbox_id).exists():
        return None
    return Remedy(label, f"{reverse('mailboxes-edit', args=[entry.mailbox_id])}{field}")


def _domain(entry: TraceEntry, user: User) -> Remedy | None:
    if entry.domain_id is None or not access.domains(user).filter(pk=entry.domain_id).exists():
        return None
    return Remedy(_("Open the domain"), reverse("domains-one", args=[entry.domain_id]))


def _alias(entry: TraceEntry, user: User) -> Remedy | None:
    names = [entry.recipient.lower(), name_of(entry), *entry.via]
    alias = access.aliases(user).filter(address__in=names).first()
    return Remedy(_("Open the alias"), reverse("aliases-one", args=[alias.pk])) if alias else None


def _removed(_entry: TraceEntry, _user: User) -> Remedy:
    return Remedy(_("Removed mailboxes"), reverse("mailboxes-removed"))


def _parts(_entry: TraceEntry, user: User) -> Remedy | None:
    return Remedy(_("Parts of the site"), reverse("overview-parts")) if people.is_host(user) else None


_REMEDIES: dict[str, Callable[[TraceEntry, User], Remedy | None]] = {
    Reason.FULL: _quota,
    Reason.DOMAIN_FULL: _domain,
    Reason.CLOSED: _switch,
    Reason.DOMAIN_OFF: _domain,
    Reason.ALIAS_EXPIRED: _alias,
    Reason.ALIAS_OFF: _alias,
    Reason.OUTSIDE: _alias,
    Reason.REMOVED: _removed,
    Reason.DISK: _parts,
    Reason.DATABASE: _parts,
}
