"""Grant and revoke the right of a user to administer a domain. The pages decide what this right allows."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from mailstore.directory import admins, audit, domains
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Ensured, Rejected, refuse_violations
from mailstore.models import AuditEntry, Domain, DomainGrant, Mailbox, User


def ensure(
    login: str, names: Sequence[str], *, actor: Actor, password: str | None = None, must_change: bool = False
) -> Ensured[User]:
    """Create the user unless there, and grant the domains that they do not have yet. Revokes none.

    A new user without `password` gets a generated one (`secret`); with `must_change`, they change it at the first
    sign-in. Rejected for a bad login, an unknown domain, a hosting admin, and a password for the owner of a mailbox,
    which is set at the mailbox.
    """
    granted = [domains.get(name) for name in names]
    with transaction.atomic(), refuse_violations(admins.RACES):
        done = admins.ensure_user(login, User.Role.OWNER, actor=actor, password=password, must_change=must_change)
        added = [domain.name for domain in granted if _add(done.row, domain, actor)]
    changes = done.changes | ({"domains": (None, ", ".join(added))} if added else {})
    return Ensured(done.row, done.created, changes, done.secret)


def grant(login: str, domain: str, *, actor: Actor) -> bool:
    """Let the user administer the domain. False if they may already. Rejected for a hosting admin or no user."""
    row = domains.get(domain)
    with transaction.atomic():
        return _add(_locked(login), row, actor)


def revoke(login: str, domain: str, *, actor: Actor) -> AuditEntry | None:
    """End the right. The user stays, with all other rights. Return the entry of the audit with which `restore` works.

    None if the user does not have the right.
    """
    row = domains.get(domain)
    with transaction.atomic():
        user = _locked(login)
        ended, _kinds = DomainGrant.objects.filter(user=user, domain=row).delete()
        return _record(actor, "grant.remove", user, row) if ended else None


def restore(entry: AuditEntry, *, actor: Actor) -> DomainGrant:
    """Give back the right that ended with this entry of the audit, for the domain as it is called now.

    Rejected if the user or the domain is not there any more, and for a hosting admin. The right may be there already.
    """
    domain = Domain.objects.filter(pk=entry.domain_id or 0, removed_at=None).first()
    if domain is None:
        raise Rejected(_("the domain %(domain)s is not there any more") % {"domain": entry.details["domain"]})
    with transaction.atomic():
        user = _locked(entry.subject if entry.mailbox is None else entry.mailbox.user.address)
        _add(user, domain, actor)
        return DomainGrant.objects.select_related("user", "domain").get(user=user, domain=domain)


def revoke_all(user: User, *, actor: Actor) -> list[str]:
    """End all rights of the user, also in removed domains, in the caller's transaction. Returns the domains' names."""
    ended = list(DomainGrant.objects.filter(user=user).select_related("domain").order_by("domain__name"))
    for each in ended:
        _record(actor, "grant.remove", user, each.domain)
    DomainGrant.objects.filter(user=user).delete()
    return [each.domain.name for each in ended]


def _locked(login: str) -> User:
    name = admins.checked_login(login)
    user = User.objects.select_for_update().filter(address=name).first()
    if user is None:
        raise Rejected(_("%(login)s is not a user of this site") % {"login": name})
    if user.role == User.Role.ADMIN:
        raise Rejected(_("%(login)s is a hosting admin, who already manages every domain") % {"login": name})
    return user


def _add(user: User, domain: Domain, actor: Actor) -> bool:
    _grant, new = DomainGrant.objects.get_or_create(user=user, domain=domain)
    if new:
        _record(actor, "grant.create", user, domain)
    return new


def _record(actor: Actor, verb: str, user: User, domain: Domain) -> AuditEntry:
    mailbox: Mailbox | None = getattr(user, "mailbox", None)
    return audit.record(actor, verb, user.address, mailbox=mailbox, within=domain, domain=domain.name)
