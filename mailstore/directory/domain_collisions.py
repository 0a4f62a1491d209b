"""The addresses of a domain that it cannot take along to another name, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mailstore.directory import bulk_sql
from mailstore.models import Alias, Domain, Mailbox, User
from mailstore.policy.addresses import ADDRESS_OCTETS


class Reason(StrEnum):
    """Why an address collides. `mailbox` and `alias` are only found where the other name is a domain already."""

    MAILBOX = "mailbox"
    REMOVED_MAILBOX = "removed mailbox"
    ALIAS = "alias"
    ADMINISTRATOR = "administrator"
    TOO_LONG = "too long"


@dataclass(frozen=True, slots=True)
class Collision:
    """An address under the other name. `holder` has it now, which differs where the name is an alias domain."""

    address: str
    reason: Reason
    holder: str


def of(domain: Domain, wanted: str, other: Domain | None) -> list[Collision]:
    """Return the addresses of the domain that collide under the name `wanted`, in their order.

    `other` is the domain that has this name now. If it stands for a third one, addresses of that collide too.
    """
    homes = [wanted, *_third(domain, other)]
    local_parts = _local_parts(domain)
    holders = _holders([f"{local_part}@{home}" for local_part in local_parts for home in homes], homes)
    each = (_collision(local_part, homes, holders) for local_part in local_parts)
    return [found for found in each if found is not None]


def _third(domain: Domain, other: Domain | None) -> list[str]:
    """Return the name of the domain that `other` stands for, if that is neither `domain` nor what this stands for."""
    target = None if other is None else other.stands_for
    return [] if target is None or target.pk == (domain.stands_for_id or domain.pk) else [target.name]


def _local_parts(domain: Domain) -> list[str]:
    users = User.objects.filter(mailbox__domain=domain).order_by("address").values_list("address", flat=True)
    aliases = Alias.objects.filter(domain=domain, mailbox=None).order_by("address").values_list("address", flat=True)
    return [address.rpartition("@")[0] for address in (*users, *aliases)]


def _collision(local_part: str, homes: list[str], holders: Mapping[str, Reason]) -> Collision | None:
    address, *others = (f"{local_part}@{home}" for home in homes)
    holder = next((each for each in (address, *others) if each in holders), None)
    if holder is not None:
        return Collision(address, holders[holder], holder)
    return Collision(address, Reason.TOO_LONG, address) if len(address.encode()) > ADDRESS_OCTETS else None


def _holders(addresses: list[str], homes: list[str]) -> dict[str, Reason]:
    """Return what the taken ones of the addresses are. `homes` are their domains."""
    aliases = set(Alias.objects.filter(domain__name__in=homes, mailbox=None).values_list("address", flat=True))
    found = dict.fromkeys(aliases.intersection(addresses), Reason.ALIAS)
    users = User.objects.filter(pk__in=bulk_sql.user_ids(addresses)).select_related("mailbox")
    return found | {user.address: _of_user(getattr(user, "mailbox", None)) for user in users}


def _of_user(mailbox: Mailbox | None) -> Reason:
    if mailbox is None:
        return Reason.ADMINISTRATOR
    return Reason.MAILBOX if mailbox.removed_at is None else Reason.REMOVED_MAILBOX
