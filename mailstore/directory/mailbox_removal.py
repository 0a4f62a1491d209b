"""Remove, restore and purge mailboxes. A removed mailbox keeps its mail; only a purge destroys it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from mailstore.directory import audit, domain_caps, domains, mailbox_lookup, message_purge, removal_state
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.directory.removal_state import Removed
from mailstore.models import Mailbox, Message


def remove(address: str, *, actor: Actor, with_mail: bool) -> Removed:
    """Remove the mailbox. It can be restored for settings.REMOVED_DAYS; then a sweep purges it.

    Until then nobody signs in, nothing is delivered, and open sessions change nothing. Rejected while it is on hold,
    and for a mailbox with mail unless `with_mail`.
    """
    with transaction.atomic():
        mailbox = mailbox_lookup.locked(mailbox_lookup.normalized(address))
        refuse_held(mailbox)
        if not with_mail and _holds_mail(mailbox):
            raise Rejected(_("%(address)s contains mail: remove it with its mail, or keep it") % {"address": mailbox})
        Mailbox.objects.filter(pk=mailbox.pk).update(**removal_state.removed_columns(actor.name))
        _record(actor, "mailbox.remove", mailbox, messages=mailbox.messages, octets=mailbox.octets)
    return Removed(1, 0, mailbox.messages, mailbox.octets)


def restore(address: str, *, actor: Actor) -> Mailbox:
    """Bring the mailbox back as it was. Rejected if it is not removed, or its domain is removed or full."""
    normal = mailbox_lookup.normalized(address)
    with transaction.atomic():
        domain = domains.locked(normal)
        mailbox = mailbox_lookup.locked_removed(normal)
        removal_state.refuse_purge_pending(mailbox)
        room = domain_caps.room(domain, actor=actor)
        room.refuse_one_more()
        room.refuse_quota(mailbox.quota_octets)
        Mailbox.objects.filter(pk=mailbox.pk).update(**removal_state.restored_columns())
        _record(actor, "mailbox.restore", mailbox)
    return mailbox_lookup.get(normal)


def ask_purge(address: str, *, actor: Actor) -> None:
    """Let the sweep purge the mailbox within minutes, so that no page waits. Until then it cannot be restored either.

    Rejected if it is not removed, on hold, or waits for its purge already.
    """
    with transaction.atomic():
        mailbox = mailbox_lookup.locked_removed(mailbox_lookup.normalized(address))
        refuse_held(mailbox)
        removal_state.refuse_purge_pending(mailbox)
        Mailbox.objects.filter(pk=mailbox.pk).update(purge_requested_at=timezone.now())
        _record(actor, "mailbox.purge-asked", mailbox, messages=mailbox.messages, octets=mailbox.octets)


def purge_now(address: str, *, actor: Actor) -> Removed:
    """Destroy a removed mailbox, its user, devices and mail, recovery included; its address is free.

    Rejected where it is not removed, or held. The bodies' files go with a sweep a day later.
    """
    with transaction.atomic():
        return destroy(mailbox_lookup.locked_removed(mailbox_lookup.normalized(address)), actor=actor)


def destroy(mailbox: Mailbox, *, actor: Actor) -> Removed:
    """Do the same with a mailbox whose row the caller has locked. Returns all messages that were in it."""
    refuse_held(mailbox)
    # Messages have no constraint on their mailbox, so nothing else would delete them.
    messages = message_purge.mailbox(mailbox.pk)
    _record(actor, "mailbox.purge", mailbox, messages=messages, octets=mailbox.octets)
    mailbox.user.delete()  # the mailbox, its devices and its imported sources go too
    return Removed(1, 0, messages, mailbox.octets)


def refuse_held(mailbox: Mailbox) -> None:
    if mailbox.held:
        raise Rejected(_("%(address)s is on hold: lift the hold first") % {"address": mailbox})


def _record(actor: Actor, verb: str, mailbox: Mailbox, **details: Any) -> None:
    audit.record(actor, verb, mailbox.user.address, mailbox=mailbox, **details)


def _holds_mail(mailbox: Mailbox) -> bool:
    """Return whether it has messages, live or in recovery. Two queries, since each index holds only one kind."""
    rows = Message.objects.filter(mailbox=mailbox)
    return rows.filter(removed=None).exists() or rows.exclude(removed=None).exists()
