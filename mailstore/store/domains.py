"""Domains: made and changed; the limits they set are tested under their row's lock by what they limit."""

from __future__ import annotations

from typing import TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from mailstore.models import Domain, RetentionPolicy
from mailstore.policy.addresses import BadAddress, normal_domain
from mailstore.store import audit, policies, removal
from mailstore.store.audit import Actor
from mailstore.store.outcomes import Ensured, Rejected, assign, details


class Fields(TypedDict, total=False):
    """What of a domain can be set; what is not given stays."""

    active: bool
    over_quota: str
    mailbox_limit: int | None
    alias_limit: int | None
    policy: RetentionPolicy | None
    policy_at_once: bool


def ensure(name: str, *, actor: Actor, **fields: Unpack[Fields]) -> Ensured[Domain]:
    """Make the domain unless it is there, and set the given fields. Rejected when removed, and for a bad value."""
    normal = _normal(name)
    with transaction.atomic():
        domain, created = Domain.objects.select_for_update(no_key=True).get_or_create(name=normal)
        if domain.removed_at is not None:
            raise removal.refusal(domain)
        changes = assign(domain, policies.chosen(domain, fields))
        if created or changes:
            audit.record(actor, "domain.create" if created else "domain.change", normal, changes=details(changes))
    return Ensured(domain, created, changes)


def get(name: str) -> Domain:
    """Return the domain of this name, in any case. Rejected when there is none, or when it is removed."""
    normal = _normal(name)
    return _there(normal, Domain.objects.filter(name=normal).first())


def locked(address: str) -> Domain:
    """Return the domain of a normal address, locked against other changes of what it limits, in a transaction."""
    name = address.rpartition("@")[2]
    return _there(name, Domain.objects.select_for_update(no_key=True).filter(name=name).first())


def locked_by_name(name: str) -> Domain:
    """Return the domain of this name, locked against everything that is made in it. Rejected as by `get`."""
    normal = _normal(name)
    return _there(normal, Domain.objects.select_for_update().filter(name=normal).first())


def locked_removed(name: str) -> Domain:
    """Return a removed domain with its row locked. Rejected when there is none, or when it is not removed."""
    normal = _normal(name)
    domain = Domain.objects.select_for_update().filter(name=normal).first()
    if domain is None:
        raise _unknown(normal)
    if domain.removed_at is None:
        raise removal.not_removed(domain)
    return domain


def _there(normal: str, domain: Domain | None) -> Domain:
    if domain is None:
        raise _unknown(normal)
    if domain.removed_at is not None:
        raise removal.refusal(domain)
    return domain


def _normal(name: str) -> str:
    try:
        return normal_domain(name)
    except BadAddress as error:
        raise Rejected(str(error)) from error


def _unknown(name: str) -> Rejected:
    return Rejected(_("%(domain)s is not a domain of this site: make it first") % {"domain": name})
