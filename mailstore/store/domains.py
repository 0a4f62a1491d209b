"""Domains: made, changed and removed; the limits they set are tested under their row's lock by what they limit."""

from __future__ import annotations

from typing import TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from mailstore.models import Alias, Domain, Mailbox, RetentionPolicy
from mailstore.policy.addresses import BadAddress, normal_domain
from mailstore.store import audit
from mailstore.store.audit import Actor
from mailstore.store.outcomes import Ensured, Rejected, assign, details


class Fields(TypedDict, total=False):
    """What of a domain can be set; what is not given stays."""

    active: bool
    over_quota: str
    mailbox_limit: int | None
    alias_limit: int | None
    policy: RetentionPolicy | None


def ensure(name: str, *, actor: Actor, **fields: Unpack[Fields]) -> Ensured[Domain]:
    """Make the domain unless it is there, and set the given fields. Rejected for a bad name or value."""
    normal = _normal(name)
    with transaction.atomic():
        domain, created = Domain.objects.select_for_update(no_key=True).get_or_create(name=normal)
        changes = assign(domain, fields)
        if created or changes:
            audit.record(actor, "domain.create" if created else "domain.change", normal, changes=details(changes))
    return Ensured(domain, created, changes)


def remove(name: str, *, actor: Actor) -> None:
    """Remove the domain and its aliases. Rejected while it has mailboxes."""
    normal = _normal(name)
    with transaction.atomic():
        domain = Domain.objects.select_for_update().filter(name=normal).first()
        if domain is None:
            raise _unknown(normal)
        mailboxes = Mailbox.objects.filter(domain=domain).count()
        if mailboxes:
            raise Rejected(
                _("%(domain)s still has mailboxes (%(count)d): remove them first")
                % {"domain": normal, "count": mailboxes}
            )
        aliases = Alias.objects.filter(domain=domain).count()
        domain.delete()
        audit.record(actor, "domain.remove", normal, aliases=aliases)


def get(name: str) -> Domain:
    """Return the domain of this name, in any case. Rejected when there is none."""
    normal = _normal(name)
    domain = Domain.objects.filter(name=normal).first()
    if domain is None:
        raise _unknown(normal)
    return domain


def locked(address: str) -> Domain:
    """Return the domain of a normal address, locked against other changes of what it limits, in a transaction."""
    name = address.rpartition("@")[2]
    domain = Domain.objects.select_for_update(no_key=True).filter(name=name).first()
    if domain is None:
        raise _unknown(name)
    return domain


def _normal(name: str) -> str:
    try:
        return normal_domain(name)
    except BadAddress as error:
        raise Rejected(str(error)) from error


def _unknown(name: str) -> Rejected:
    return Rejected(_("%(domain)s is not a domain of this site: make it first") % {"domain": name})
