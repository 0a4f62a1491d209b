"""Refuse new names that people could take for others, unless the actor confirms them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from mailstore.directory import bulk_sql
from mailstore.directory.outcome import Rejected
from mailstore.models import Alias, Domain, User
from mailstore.models.columns import NOT_ASCII
from mailstore.policy import homographs
from mailstore.policy.addresses import shown_domain


class LookAlike(Rejected):
    """The name looks like another, and the actor has not confirmed it."""


class Neighbours:
    """The addresses in some domains that new ones could be taken for. Each new address is added for the next."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._by_look: dict[str, str] = {}
        for address in sorted(taken):
            self.add(address)

    @classmethod
    def of(cls, new: Collection[str], domains: Iterable[Domain]) -> Neighbours:
        """Read the addresses that are not ASCII (an index has them), and those that a new one looks like."""
        if not new:
            return cls(())
        looks = [look for address in new if (look := homographs.looks_like(address)) != address]
        keys = [domain.pk for domain in domains]
        users = User.objects.filter(NOT_ASCII, mailbox__domain__in=keys).values_list("address", flat=True)
        aliases = Alias.objects.filter(NOT_ASCII, domain__in=keys).values_list("address", flat=True)
        found = {*users, *aliases}
        if looks:
            found |= set(User.objects.filter(pk__in=bulk_sql.user_ids(looks)).values_list("address", flat=True))
            found |= set(Alias.objects.filter(address__in=looks).values_list("address", flat=True))
        return cls(found)

    def add(self, address: str) -> None:
        self._by_look.setdefault(homographs.looks_like(address), address)

    def refuse(self, address: str) -> None:
        """Refuse a new address that mixes scripts before its @, or looks like another."""
        _refuse_mixed(address, address, field="address")
        other = self._by_look.get(homographs.looks_like(address), address)
        if other != address:
            raise _taken_for(address, other, field="address")


def refuse_domain(name: str) -> None:
    """Refuse a new domain that mixes scripts in a label, or looks like another."""
    _refuse_mixed(name, shown_domain(name), field="name")
    looks = homographs.looks_like(name)
    others = Domain.objects.exclude(name=name).filter(Q(name=looks) | Q(name__contains="xn--"))
    for other in others:
        if homographs.looks_like(other.name) == looks:
            raise _taken_for(_both_ways(name), _both_ways(other.name), field="name")


def _refuse_mixed(name: str, shown: str, *, field: str) -> None:
    if scripts := homographs.mixed_scripts(name):
        raise LookAlike(
            _("%(name)s mixes letters that look alike (%(scripts)s): confirm it as a look-alike if this is intended")
            % {"name": shown, "scripts": ", ".join(scripts)},
            field=field,
        )


def _taken_for(name: str, other: str, *, field: str) -> LookAlike:
    return LookAlike(
        _("%(name)s looks like %(other)s, which exists here: confirm it as a look-alike if this is intended")
        % {"name": name, "other": other},
        field=field,
    )


def _both_ways(domain: str) -> str:
    return f"{shown_domain(domain)} ({domain})"
