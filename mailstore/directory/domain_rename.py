"""Give a domain another name. All that is in it stays, and the old name stands for the new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailstore.amount_text import count
from mailstore.directory import (
    address_error,
    address_references,
    alias_loop,
    audit,
    domain_collisions,
    domains,
    look_alikes,
    mailbox_moves,
    rename_count,
)
from mailstore.directory.audit import Actor
from mailstore.directory.domain_collisions import Collision
from mailstore.directory.outcome import LostRace, Rejected, refuse_violations
from mailstore.models import Alias, Domain, Mailbox, User
from mailstore.policy.addresses import BadAddress, normal_domain

NAMED = 5  # addresses in one sentence
_TAKEN = gettext_lazy("this name was taken a moment ago: choose another one")
_RACES = {"mailstore_domain_name_key": _TAKEN, "mailstore_user_address_key": _TAKEN}
_BETWEEN = " "  # no name of a domain: two domains swap their names by way of it


@dataclass(frozen=True, slots=True)
class RenamedDomain:
    """The domain under its new name, with the numbers of mailboxes (removed ones too) and aliases that went along."""

    domain: Domain
    mailboxes: int
    aliases: int


@dataclass(frozen=True, slots=True)
class RenameCheck:
    """What a rename would do: the new name, and the numbers that would go along. `refusal` is empty if it would."""

    new: str
    mailboxes: int
    aliases: int
    refusal: str
    collisions: list[Collision]


def rename(old: str, new: str, *, actor: Actor, keep_alias: bool = True, look_alike: bool = False) -> RenamedDomain:
    """Give the domain `old` the name `new`, with all its addresses, in one transaction. `old` then stands for `new`.

    Aliases of other domains, and the addresses that users recover by, follow. If `new` stands for `old` until now, the
    two swap their names; so a domain can get its old name back. Without `keep_alias`, `old` is the name of no domain.

    Rejected if `new` is another domain, looks like another (without `look_alike`), if addresses
    collide, and while a mailbox is being moved from an old server.
    """
    was, wanted = _normal(old), _normal(new)
    with transaction.atomic(), refuse_violations(_RACES, LostRace):
        alias_loop.lock()
        found = {row.name: row for row in _rows(was, wanted).select_for_update().order_by("pk")}
        domain, other = domains.existing(was, found.get(was)), found.get(wanted)
        _refuse_taken(domain, wanted, other)
        if other is None and not look_alike:
            look_alikes.refuse_domain(wanted)
        _keep_from_purges(domain)
        _refuse_collisions([each.address for each in domain_collisions.of(domain, wanted, other)])
        mailbox_moves.keep_names(Mailbox.objects.filter(domain=domain))
        renamed = _move(domain, wanted)
        _leave(domain, was, other, keep_alias=keep_alias)
        address_references.follow_domain(was, wanted)
        rename_count.add()
        _record(actor, renamed, was, made_alias=keep_alias and other is None)
    return renamed


def check(old: str, new: str, *, actor: Actor, look_alike: bool = False) -> RenameCheck:
    """Find out whether `rename` would be rejected now, and all that collides. Changes nothing.

    Rejected if there is no domain `old`, or one of the names is not that of a domain.
    """
    was, wanted = _normal(old), _normal(new)
    found = {row.name: row for row in _rows(was, wanted).select_related("stands_for")}
    domain, refusal = domains.existing(was, found.get(was)), ""
    collisions = domain_collisions.of(domain, wanted, found.get(wanted)) if wanted != was else []
    counts = Mailbox.objects.filter(domain=domain).count(), Alias.objects.filter(domain=domain).count()
    try:
        with transaction.atomic():
            rename(old, new, actor=actor, look_alike=look_alike)
            transaction.set_rollback(True)
    except Rejected as error:
        refusal = str(error)
    return RenameCheck(wanted, *counts, refusal, collisions)


def _rows(*names: str) -> QuerySet[Domain]:
    return Domain.objects.filter(name__in=names)


def _refuse_taken(domain: Domain, wanted: str, other: Domain | None) -> None:
    if wanted == domain.name:
        raise Rejected(_("%(domain)s has this name already") % {"domain": wanted}, field="name")
    if other is None:
        return
    domains.existing(wanted, other)  # refuses a removed one
    if other.stands_for_id != (domain.stands_for_id or domain.pk):
        raise Rejected(
            _(
                "%(other)s is a domain of this site: rename the mailboxes of %(domain)s one by one into it, or delete "
                "%(other)s for good first"
            )
            % {"other": other, "domain": domain},
            field="name",
        )


def _keep_from_purges(domain: Domain) -> None:
    """Lock the mailboxes so that none is purged meanwhile: a purge locks them first, then deletes their users.

    A lock of the keys alone lets deliveries go on.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM mailstore_mailbox WHERE domain_id = %s ORDER BY id FOR KEY SHARE", [domain.pk])


def _refuse_collisions(addresses: Sequence[str]) -> None:
    if not addresses:
        return
    named = ", ".join(addresses[:NAMED]) + (", …" if len(addresses) > NAMED else "")
    raise Rejected(
        ngettext(
            "%(number)s address would collide with the login of an administrator or be too long: %(addresses)s",
            "%(number)s addresses would collide with the logins of administrators or be too long: %(addresses)s",
            len(addresses),
        )
        % {"number": count(len(addresses)), "addresses": named},
        field="name",
    )


def _move(domain: Domain, wanted: str) -> RenamedDomain:
    """Change the addresses. The name of the domain itself follows in `_leave`."""
    owners = User.objects.filter(mailbox__domain=domain)
    mailboxes = owners.update(address=address_references.in_domain("address", wanted))
    aliases = Alias.objects.filter(domain=domain).update(address=address_references.in_domain("address", wanted))
    domain.name = wanted
    return RenamedDomain(domain, mailboxes, aliases)


def _leave(domain: Domain, was: str, other: Domain | None, *, keep_alias: bool) -> None:
    """Write the new name, and let the old one stand for it: by the row that had the new name, or else by a new one."""
    if not keep_alias:
        if other is not None:
            other.delete()
        domain.save(update_fields=["name"])
        return
    if other is None:
        domain.save(update_fields=["name"])
        Domain.objects.create(name=was, stands_for=domain.stands_for or domain)
        return
    for row, name in ((other, _BETWEEN), (domain, domain.name), (other, was)):
        row.name = name
        row.save(update_fields=["name"])


def _record(actor: Actor, renamed: RenamedDomain, was: str, *, made_alias: bool) -> None:
    """Record it for the domain, and for each mailbox, so that its owner sees it."""
    domain = renamed.domain
    whole = audit.record(
        actor,
        "domain.rename",
        domain.name,
        within=domain,
        old_name=was,
        mailboxes=renamed.mailboxes,
        aliases=renamed.aliases,
        undo_data={"made_alias": made_alias},
    )
    actor = actor.within("rename", whole.pk)
    boxes = Mailbox.objects.select_related("user").filter(domain=domain).order_by("pk")
    audit.record_all(
        [
            audit.entry(actor, "mailbox.rename", box.user.address, mailbox=box, old_address=_formerly(box, was))
            for box in boxes
        ]
    )


def _formerly(mailbox: Mailbox, domain: str) -> str:
    return f"{mailbox.user.address.rpartition('@')[0]}@{domain}"


def _normal(name: str) -> str:
    try:
        return normal_domain(name)
    except BadAddress as error:
        raise Rejected(address_error.sentence(error), field="name") from error
