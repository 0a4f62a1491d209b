"""Aliases: addresses that stand for others, and `@domain`, the catch-all; resolving one for a delivery is elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mailstore.models import Alias, Domain, Mailbox
from mailstore.policy import aliases as reach
from mailstore.policy.addresses import BadAddress, lookup_keys, normal_address, normal_domain
from mailstore.store import audit, domains, removal
from mailstore.store.audit import Actor
from mailstore.store.outcomes import Ensured, Rejected, assign, details

# Aliases are written one after the other, so that two changes cannot close a loop between them.
_ONE_WRITER = "SELECT pg_advisory_xact_lock(hashtext('mailstore_alias'))"


def ensure(address: str, targets: Sequence[str], *, actor: Actor, active: bool | None = None) -> Ensured[Alias]:
    """Make the alias unless it is there, and let it stand for exactly these targets.

    Rejected for a bad address, no or too many targets, an address that a mailbox has, a loop, a domain at its limit.
    """
    normal = _normal(address)
    wanted = _normal_targets(targets)
    with transaction.atomic():
        _take_turn()
        domain = domains.locked(normal)
        alias = Alias.objects.select_for_update().filter(address=normal).first()
        created = alias is None
        _refuse_loop(normal, wanted)
        if alias is None:
            alias = _make(normal, domain, wanted)
        changes = assign(alias, {"targets": wanted} | ({} if active is None else {"active": active}))
        if created or changes:
            verb = "alias.create" if created else "alias.change"
            audit.record(actor, verb, normal, targets=wanted, changes=details(changes))
    return Ensured(alias, created, changes)


def remove(address: str, *, actor: Actor) -> None:
    """Remove the alias. Rejected when there is none."""
    normal = _normal(address)
    with transaction.atomic():
        _take_turn()
        alias = Alias.objects.select_for_update().filter(address=normal).first()
        if alias is None:
            raise Rejected(_("%(address)s is not an alias of this site") % {"address": normal})
        alias.delete()
        audit.record(actor, "alias.remove", normal, targets=alias.targets)


def listing(domain: str | None = None) -> QuerySet[Alias]:
    """The aliases of one domain, or all, by address. Rejected when there is no such domain."""
    rows = Alias.objects.filter(domain__removed_at=None).order_by("address")
    return rows if domain is None else rows.filter(domain=domains.get(domain))


def _take_turn() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ONE_WRITER)


def _normal(address: str) -> str:
    try:
        if address.startswith("@"):
            return f"@{normal_domain(address[1:])}"
        return normal_address(address)
    except BadAddress as error:
        raise Rejected(str(error)) from error


def _normal_targets(targets: Sequence[str]) -> list[str]:
    """Return the targets in normal form, each once, in the order given."""
    try:
        wanted = list(dict.fromkeys(normal_address(target) for target in targets))
    except BadAddress as error:
        raise Rejected(str(error)) from error
    if not 0 < len(wanted) <= reach.TARGETS_AT_MOST:
        raise Rejected(_("an alias has from 1 to %(most)d targets") % {"most": reach.TARGETS_AT_MOST})
    return wanted


def _make(address: str, domain: Domain, targets: list[str]) -> Alias:
    """Insert the alias; the domain's row is locked."""
    mailbox = Mailbox.objects.select_related("user", "domain").filter(user__address=address).first()
    if mailbox is not None and mailbox.removed_at is not None:
        raise removal.refusal(mailbox)
    if mailbox is not None:
        raise Rejected(_("%(address)s is a mailbox") % {"address": address})
    if domain.alias_limit is not None and Alias.objects.filter(domain=domain).count() >= domain.alias_limit:
        raise Rejected(
            _("%(domain)s has all the aliases it may have (%(limit)d)")
            % {"domain": domain.name, "limit": domain.alias_limit}
        )
    return Alias.objects.create(address=address, domain=domain, targets=targets)


def _refuse_loop(address: str, targets: list[str]) -> None:
    """Follow the targets as a delivery would, one level a time; refuse to meet `address`, and to go on for too long."""
    level, followed = set(targets), set(targets)
    levels = 0
    while level:
        reached = _resolve(level, but=address)
        if address in reached:
            raise Rejected(_("%(address)s would lead back to itself") % {"address": address})
        level = {target for onward in reached.values() for target in onward} - followed
        followed |= level
        levels += 1
        if levels > reach.LEVELS_AT_MOST or len(followed) > reach.TARGETS_AT_MOST:
            raise Rejected(
                _("%(address)s would reach further than %(levels)d levels or %(most)d targets")
                % {"address": address, "levels": reach.LEVELS_AT_MOST, "most": reach.TARGETS_AT_MOST}
            )


def _resolve(level: Iterable[str], *, but: str) -> dict[str, list[str]]:
    """Return the aliases that answer for these addresses, with their targets; `but` counts as an alias already."""
    keys = {address: [*lookup_keys(address), f"@{address.rpartition('@')[2]}"] for address in level}
    names = {name for choice in keys.values() for name in choice}
    known = {alias.address: alias.targets for alias in Alias.objects.filter(address__in=names)} | {but: []}
    there = Mailbox.objects.filter(user__address__in=names, removed_at=None)
    boxes = set(there.values_list("user__address", flat=True))
    answers = {next((name for name in choice if name in boxes or name in known), None) for choice in keys.values()}
    return {name: known[name] for name in answers if name in known}
