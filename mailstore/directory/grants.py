"""Grants: makes and ends the right of a user to administer a domain, and keeps it from those who have it not.

What that right allows beside, the pages decide.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from mailstore.directory import admins, audit, domain_caps, domains
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Ensured, Rejected, last_word
from mailstore.models import Domain, DomainGrant, Mailbox, User


def ensure(
    login: str, names: Sequence[str], *, actor: Actor, password: str | None = None, must_change: bool = False
) -> Ensured[User]:
    """Make the user unless there, and grant him each of the domains that he has not; none is taken from him.

    A new user without `password` gets a generated one (`secret`), to be changed at his first sign-in where he
    `must_change` it. Rejected for a bad login, an unknown domain, a
    hosting admin, and a password for somebody who owns a mailbox: that one is the mailbox's.
    """
    granted = [domains.get(name) for name in names]
    with transaction.atomic(), last_word(admins.RACES):
        done = admins.made(login, User.Role.OWNER, actor=actor, password=password, must_change=must_change)
        added = [domain.name for domain in granted if _add(done.row, domain, actor)]
    changes = done.changes | ({"domains": (None, ", ".join(added))} if added else {})
    return Ensured(done.row, done.created, changes, done.secret)


def grant(login: str, domain: str, *, actor: Actor) -> bool:
    """Let the user administer the domain; False when he already may. Rejected for a hosting admin, and for nobody."""
    row = domains.get(domain)
    with transaction.atomic():
        return _add(_locked(login), row, actor)


def revoke(login: str, domain: str, *, actor: Actor) -> bool:
    """End the right; False when he has none. The user stays, with whatever else he may do."""
    row = domains.get(domain)
    with transaction.atomic():
        user = _locked(login)
        ended, _kinds = DomainGrant.objects.filter(user=user, domain=row).delete()
        if ended:
            _record(actor, "grant.remove", user, row)
    return bool(ended)


def revoke_all(user: User, *, actor: Actor) -> list[str]:
    """End each of his rights, removed domains' too, in the transaction of the caller; returns the domains' names."""
    ended = list(DomainGrant.objects.filter(user=user).select_related("domain").order_by("domain__name"))
    for each in ended:
        _record(actor, "grant.remove", user, each.domain)
    DomainGrant.objects.filter(user=user).delete()
    return [each.domain.name for each in ended]


def beyond(users: Collection[User], *, actor: Actor) -> set[int]:
    """The keys of those who administer a domain that a domain admin does not: as them he would administer it too.

    Nobody is beyond a hosting admin or the shell. A domain that is removed counts, as it can come back.
    """
    if not users or not domain_caps.bound(actor):
        return set()
    others = DomainGrant.objects.filter(user__in=users).exclude(domain__grants__user=actor.user)
    return set(others.values_list("user", flat=True))


def refuse_sign_in(user: User, out_of_reach: Collection[int]) -> None:
    """Refuse to set the password of one who is `beyond` whoever wants to."""
    if user.pk in out_of_reach:
        raise Rejected(_("%(address)s administers other domains: ask a hosting admin") % {"address": user.address})


def _locked(login: str) -> User:
    name = admins.checked(login)
    user = User.objects.select_for_update().filter(address=name).first()
    if user is None:
        raise Rejected(_("%(login)s is not a user of this site") % {"login": name})
    if user.role == User.Role.ADMIN:
        raise Rejected(_("%(login)s is a hosting admin: every domain is his") % {"login": name})
    return user


def _add(user: User, domain: Domain, actor: Actor) -> bool:
    _grant, new = DomainGrant.objects.get_or_create(user=user, domain=domain)
    if new:
        _record(actor, "grant.create", user, domain)
    return new


def _record(actor: Actor, verb: str, user: User, domain: Domain) -> None:
    mailbox: Mailbox | None = getattr(user, "mailbox", None)
    audit.record(actor, verb, user.address, mailbox=mailbox, within=domain, domain=domain.name)
