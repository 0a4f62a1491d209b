"""Create, change and find domains. Other modules check their limits, under a lock on the row of the domain."""

from __future__ import annotations

from collections.abc import Collection
from typing import Unpack

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mailstore.directory import address_error, alias_loop, audit, look_alikes, removal_state
from mailstore.directory.audit import Actor
from mailstore.directory.fields.domain import DOMAIN, DomainValues
from mailstore.directory.fields.field import Kind
from mailstore.directory.fields.policy import with_policy_since
from mailstore.directory.outcome import Ensured, Only, Rejected, assign, details, not_negative
from mailstore.models import Alias, Domain, Mailbox
from mailstore.policy import old_server
from mailstore.policy.addresses import BadAddress, normal_domain, shown_domain
from mailstore.policy.old_server import BadOldServer
from mailstore.policy.quota import format_octets

_SIZES = DOMAIN.names(Kind.SIZE)


def ensure(
    name: str, *, actor: Actor, look_alike: bool = False, only: Only | None = None, **fields: Unpack[DomainValues]
) -> Ensured[Domain]:
    """Create the domain unless it is there, and set the given fields.

    Rejected for a removed domain, for a bad name or value, and for a domain that cannot stand for the other. A new name
    that looks like another is rejected without `look_alike`. With `only`, rejected for a domain of the other kind (new,
    or there already).
    """
    normal = normalized(name)
    not_negative(fields, *_SIZES)
    if fields.get("old_server"):
        fields["old_server"] = _server_url(fields["old_server"] or "")
    with transaction.atomic():
        if "stands_for" in fields:
            alias_loop.lock()
        domain, created = Domain.objects.select_for_update(no_key=True).get_or_create(name=normal)
        if domain.removed_at is not None:
            raise removal_state.refusal(domain)
        if only is Only.NEW and not created:
            raise Rejected(_("%(domain)s already exists") % {"domain": shown_domain(normal)}, field="name")
        if only is Only.THERE and created:
            raise _unknown(normal)
        if created and not look_alike:
            look_alikes.refuse_domain(normal)
        if (other := fields.get("stands_for")) is not None:
            _refuse_to_stand(domain, Domain.objects.select_for_update(no_key=True).get(pk=other.pk))
        changes = assign(domain, with_policy_since(domain, fields))
        _refuse_quotas(domain)
        if "stands_for" in changes:
            alias_loop.refuse_through(domain)
        if created or changes:
            verb = "domain.create" if created else "domain.change"
            audit.record(actor, verb, normal, within=domain, changes=details(changes))
    return Ensured(domain, created, changes)


def get(name: str) -> Domain:
    """Return the domain of this name, in any letter case. Rejected when there is none, or it is removed."""
    normal = normalized(name)
    return existing(normal, Domain.objects.filter(name=normal).first())


def locked(address: str) -> Domain:
    """Return the domain of a normal address, in a transaction. The lock keeps out changes of what it limits."""
    name = address.rpartition("@")[2]
    return existing(name, locked_all([name]).get(name))


def locked_all(names: Collection[str]) -> dict[str, Domain]:
    """Return the domains that have these names, removed ones too, by name. Locks them in the order of their keys."""
    rows = _named(names).select_for_update(of=("self",), no_key=True)
    return {domain.name: domain for domain in rows.order_by("pk")}


def by_name(names: Collection[str]) -> dict[str, Domain]:
    """Return the domains that have these names, removed ones too, by name. Locks nothing."""
    return {domain.name: domain for domain in _named(names)}


def locked_by_name(name: str) -> Domain:
    """Return the domain of this name. The lock keeps out everything that is created in it. Rejected as by `get`."""
    normal = normalized(name)
    return existing(normal, Domain.objects.select_for_update().filter(name=normal).first())


def locked_removed(name: str) -> Domain:
    """Return a removed domain and lock its row. Rejected when there is none, or it is not removed."""
    normal = normalized(name)
    domain = Domain.objects.select_for_update().filter(name=normal).first()
    if domain is None:
        raise _unknown(normal)
    if domain.removed_at is None:
        raise removal_state.not_removed(domain)
    return domain


def existing(normal: str, domain: Domain | None) -> Domain:
    """Return the domain that was found by this name. Rejected when it is None, or removed."""
    if domain is None:
        raise _unknown(normal)
    if domain.removed_at is not None:
        raise removal_state.refusal(domain)
    return domain


def refuse_standing(domain: Domain) -> None:
    """Refuse to create something in a domain that stands for another, since its addresses are those of the other."""
    if domain.stands_for is not None:
        raise Rejected(
            _("%(domain)s is an alias of %(other)s: create it there") % {"domain": domain, "other": domain.stands_for}
        )


def _refuse_quotas(domain: Domain) -> None:
    least, most = domain.mailbox_quota_default, domain.mailbox_quota_most
    if least is not None and most is not None and least > most:
        raise Rejected(
            _("the quota of a new mailbox (%(default)s) is above what a mailbox may have (%(most)s)")
            % {"default": format_octets(least), "most": format_octets(most)},
            field="mailbox_quota_default",
        )


def _refuse_to_stand(domain: Domain, other: Domain) -> None:
    """Refuse a chain of domains. With one step, there is no circle, and one statement finds a recipient."""
    if other.pk == domain.pk or other.removed_at is not None or other.stands_for_id is not None:
        raise Rejected(
            _("%(domain)s cannot be an alias of %(other)s") % {"domain": domain, "other": other}, field="stands_for"
        )
    if domain.alias_domains.exists():
        raise Rejected(
            _("other domains are aliases of %(domain)s: it cannot be an alias itself") % {"domain": domain},
            field="stands_for",
        )
    if Mailbox.objects.filter(domain=domain).exists() or Alias.objects.filter(domain=domain).exists():
        raise Rejected(
            _(
                "%(domain)s has mailboxes or aliases of its own, removed ones included: it cannot be an alias "
                "of %(other)s"
            )
            % {"domain": domain, "other": other},
            field="stands_for",
        )


def _server_url(text: str) -> str:
    try:
        server = old_server.parse(text)
    except BadOldServer as error:
        raise Rejected(address_error.server_sentence(text), field="old_server") from error
    if server.host.lower().rstrip(".") == settings.PUBLIC_HOSTNAME.lower():  # each sign-in would ask for itself
        raise Rejected(
            _("%(host)s is the name of this server: write a name that stays with the old one") % {"host": server.host},
            field="old_server",
        )
    return server.url


def _named(names: Collection[str]) -> QuerySet[Domain]:
    return Domain.objects.select_related("stands_for").filter(name__in=names)


def normalized(name: str) -> str:
    """Return the name in the form in which it is stored. Rejected says what is wrong with it."""
    try:
        return normal_domain(name)
    except BadAddress as error:
        raise Rejected(address_error.sentence(error)) from error


def _unknown(name: str) -> Rejected:
    return Rejected(_("%(domain)s is not a domain of this site: create it first") % {"domain": name})
