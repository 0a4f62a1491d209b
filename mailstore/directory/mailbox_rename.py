"""Give a mailbox another address. Nothing else of it changes, and by default the old address leads to it.

Everything that hangs on the rows stays: UIDLs, devices and their views, recovery, diary, audit, grants, sessions. A POP
session that is open goes on, since it knows its mailbox by key.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import (
    address_references,
    alias_loop,
    aliases,
    audit,
    domain_caps,
    domains,
    mailbox_lookup,
    mailbox_moves,
    policies,
    removal_state,
    rename_count,
)
from mailstore.directory.audit import Actor
from mailstore.directory.look_alikes import Neighbours
from mailstore.directory.mailbox_judge import domain_of
from mailstore.directory.outcome import LostRace, Rejected, refuse_violations
from mailstore.models import Alias, AuditEntry, Domain, Mailbox, User

_TAKEN = gettext_lazy("this address was taken a moment ago: choose another one")
_RACES = {"mailstore_user_address_key": _TAKEN, "mailstore_alias_address_key": _TAKEN}


def rename(old: str, new: str, *, actor: Actor, keep_alias: bool = True, look_alike: bool = False) -> Mailbox:
    """Give the mailbox `old` the address `new`, in the same domain or in another one.

    Aliases and forwards that lead to it, and the addresses that users recover by, follow. With `keep_alias`, `old`
    becomes an alias of `new` in the same transaction, so no delivery finds neither. An alias `new` that leads to this
    mailbox alone gives way.

    Rejected if `new` is taken, looks like another address (without `look_alike`), is in a domain that is full or stands
    for another, if the domain of `old` has no room for an alias, while it is being moved from an old server, and into
    another domain while its mail is still there.
    """
    was, wanted = mailbox_lookup.normalized(old), mailbox_lookup.normalized(new)
    with transaction.atomic(), refuse_violations(_RACES, LostRace):
        alias_loop.lock()
        found = domains.locked_all({domain_of(was), domain_of(wanted)})
        mailbox = mailbox_lookup.locked(was)
        domain = domains.existing(domain_of(wanted), found.get(domain_of(wanted)))
        domains.refuse_standing(domain)
        if wanted == was:
            raise Rejected(_("%(address)s is already the address of this mailbox") % {"address": was}, field="address")
        gave_way = _make_room(wanted, was, actor)
        if not look_alike:
            Neighbours.of([wanted], [domain]).refuse(wanted)
        moved_from = mailbox.domain if domain != mailbox.domain else None
        if moved_from is not None:
            mailbox_moves.leave_domain(mailbox)
            _move(mailbox, domain, actor)
        mailbox_moves.keep_names(Mailbox.objects.filter(pk=mailbox.pk))
        User.objects.filter(pk=mailbox.user_id).update(address=wanted)
        Alias.objects.filter(mailbox=mailbox).update(address=wanted, domain=domain)
        address_references.follow_address(was, wanted)
        if keep_alias:
            aliases.ensure(was, [wanted], actor=actor, look_alike=True)
        mailbox.user.address = wanted
        rename_count.add()
        _record(actor, mailbox, was, moved_from, gave_way)
    return mailbox


def check(old: str, new: str, *, actor: Actor, keep_alias: bool = True, look_alike: bool = False) -> None:
    """Find out whether `rename` would be rejected now. Changes nothing."""
    with transaction.atomic():
        rename(old, new, actor=actor, keep_alias=keep_alias, look_alike=look_alike)
        transaction.set_rollback(True)


def is_done(old: str, new: str) -> bool:
    """Return whether there is the mailbox `new`, and none `old`: a run that was interrupted has renamed it before."""
    was, wanted = mailbox_lookup.normalized(old), mailbox_lookup.normalized(new)
    users = set(User.objects.filter(address__in=[was, wanted]).values_list("address", flat=True))
    return users == {wanted} and Mailbox.objects.filter(user__address=wanted, removed_at=None).exists()


def _make_room(wanted: str, was: str, actor: Actor) -> AuditEntry | None:
    """Remove the alias that leads from the wanted address to this mailbox alone. Rejected if the address is taken.

    Returns the entry of that removal in the audit; None if there was no alias.
    """
    user = User.objects.select_related("mailbox").filter(address=wanted).first()
    if user is not None:
        raise _taken(user)
    alias = Alias.objects.filter(address=wanted).first()
    if alias is not None and alias.targets != [was]:
        raise Rejected(_("%(address)s is an alias: remove that first") % {"address": wanted}, field="address")
    return None if alias is None else aliases.remove(wanted, actor=actor)


def _taken(user: User) -> Rejected:
    mailbox: Mailbox | None = getattr(user, "mailbox", None)
    if mailbox is None:
        text = _("%(address)s is the login of an administrator")
    elif mailbox.removed_at is not None:
        return removal_state.refusal(mailbox)
    else:
        text = _("%(address)s is already a mailbox")
    return Rejected(text % {"address": user.address}, field="address")


def _move(mailbox: Mailbox, domain: Domain, actor: Actor) -> None:
    """Move the mailbox into another domain, within its caps. The retention rules that hold for its mail stay.

    Without any rule until now, one of the new domain counts from today for mail that is older.
    """
    room = domain_caps.room(domain, actor=actor)
    room.refuse_one_more()
    room.refuse_quota(mailbox.quota_octets)
    policy, source = policies.in_force(mailbox)
    starts = {
        "domain": mailbox.domain.policy_since,
        "site": None if policy is None else policy.site_since,
        "none": timezone.now(),
    }
    if source == "domain" or domain.policy_id is not None:
        mailbox.policy, mailbox.policy_since = policy, _latest(mailbox.policy_since, starts.get(source))
    mailbox.domain = domain
    mailbox.save(update_fields=["domain", "policy", "policy_since"])


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _record(actor: Actor, mailbox: Mailbox, was: str, moved_from: Domain | None, gave_way: AuditEntry | None) -> None:
    """Record it where the mailbox is. A domain that it left has an entry of its own: neither names the other domain."""
    address = mailbox.user.address
    if moved_from is None:
        undo_data = {} if gave_way is None else {"alias": gave_way.pk}
        audit.record(actor, "mailbox.rename", address, mailbox=mailbox, old_address=was, undo_data=undo_data)
        return
    audit.record(actor, "mailbox.rename", address, mailbox=mailbox)
    audit.record(actor, "mailbox.leave", was, within=moved_from)
