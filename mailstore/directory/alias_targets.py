"""Find targets of aliases that lead to nobody. It only tells: mail to such a target is refused by the delivery."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.utils import timezone

from mailstore.directory import alias_loop
from mailstore.models import Alias, Domain, Mailbox
from mailstore.policy.addresses import lookup_keys


def unknown(targets: Iterable[str], *, within: QuerySet[Domain]) -> set[str]:
    """Return the targets that no mailbox, alias or catch-all answers for, in four statements.

    Only targets in the domains `within` are looked at: whoever reads the answer may see those.
    """
    moved = alias_loop.moved_each(targets)
    here = set(within.filter(name__in={_domain(address) for address in moved.values()}).values_list("name", flat=True))
    keys = {
        target: [*lookup_keys(address), f"@{_domain(address)}"]
        for target, address in moved.items()
        if _domain(address) in here
    }
    there = _existing({name for choice in keys.values() for name in choice})
    return {target for target, choice in keys.items() if not there.intersection(choice)}


def _existing(names: set[str]) -> set[str]:
    if not names:
        return set()
    leads_on = Q(active=True) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    found = set(Alias.objects.filter(leads_on, address__in=names, mailbox=None).values_list("address", flat=True))
    boxes = Mailbox.objects.filter(user__address__in=names, removed_at=None)
    return found | set(boxes.values_list("user__address", flat=True))


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
