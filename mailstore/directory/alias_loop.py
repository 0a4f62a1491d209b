"""Refuse aliases and alias domains that would lead back to themselves. Follows them as a delivery does."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.models import F, Func, TextField, Value
from django.utils.translation import gettext as _

from mailstore.directory.outcome import Rejected
from mailstore.models import Alias, Domain, Mailbox
from mailstore.policy.addresses import ALIAS_LEVELS_LIMIT, ALIAS_TARGETS_LIMIT, lookup_keys

# One transaction at a time changes aliases, so that two changes cannot close a loop between them.
_ONE_WRITER = "SELECT pg_advisory_xact_lock(hashtext('mailstore_alias'))"


def lock() -> None:
    """Lock all aliases against other changes. Waits for the lock.

    Called first in a transaction that changes where addresses lead.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ONE_WRITER)


def refuse(address: str, targets: list[str]) -> None:
    """Follow the targets one level at a time. Refuse if they reach `address`, or too many levels or targets."""
    level, followed = set(targets), set(targets)
    levels = 0
    while level:
        reached = _resolve(level, but=address)
        if address in reached:
            raise Rejected(_("%(address)s would lead back to itself") % {"address": address}, field="targets")
        level = {target for onward in reached.values() for target in onward} - followed
        followed |= level
        levels += 1
        if levels > ALIAS_LEVELS_LIMIT or len(followed) > ALIAS_TARGETS_LIMIT:
            raise Rejected(
                _("%(address)s would lead through more than %(levels)d levels or to more than %(most)d targets")
                % {"address": address, "levels": ALIAS_LEVELS_LIMIT, "most": ALIAS_TARGETS_LIMIT},
                field="targets",
            )


def refuse_through(domain: Domain) -> None:
    """Refuse as `refuse` for each alias with a target in this domain, after the domain began to stand for another."""
    joined = Func(F("targets"), Value(" "), function="array_to_string", output_field=TextField())
    for alias in Alias.objects.annotate(joined=joined).filter(joined__contains=f"@{domain.name}"):
        refuse(alias.address, alias.targets)


def moved_each(addresses: Iterable[str]) -> dict[str, str]:
    """Map each address to where it leads at once: a domain that stands for another is replaced by the other."""
    parted = {address: address.rpartition("@") for address in addresses}
    names = {domain for _local, _at, domain in parted.values()}
    standing = Domain.objects.filter(name__in=names, stands_for__isnull=False)
    others = dict(standing.values_list("name", "stands_for__name"))
    return {address: f"{local}@{others.get(domain, domain)}" for address, (local, _at, domain) in parted.items()}


def _resolve(level: Iterable[str], *, but: str) -> dict[str, list[str]]:
    """Return the aliases that answer for these addresses, with their targets. `but` counts as an alias already."""
    moved = set(moved_each(level).values())
    keys = [[*lookup_keys(address), f"@{address.rpartition('@')[2]}"] for address in moved]
    names = {name for choice in keys for name in choice}
    known = {alias.address: alias.targets for alias in Alias.objects.filter(address__in=names)} | {but: []}
    there = Mailbox.objects.filter(user__address__in=names, removed_at=None)
    boxes = set(there.values_list("user__address", flat=True))
    answers = {next((name for name in choice if name in boxes or name in known), None) for choice in keys}
    return {name: known[name] for name in answers if name in known}
