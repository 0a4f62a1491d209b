"""Find mailboxes by their addresses, with or without a lock on the row."""

from __future__ import annotations

from django.utils.translation import gettext as _

from mailstore.directory import address_error, removal_state
from mailstore.directory.outcome import Rejected
from mailstore.models import Mailbox
from mailstore.policy.addresses import BadAddress, normal_address


def get(address: str) -> Mailbox:
    """Return the mailbox of this address, in any letter case. Rejected when there is none, or it is removed."""
    normal = normalized(address)
    return _there(normal, Mailbox.objects.select_related("user", "domain").filter(user__address=normal).first())


def locked(normal: str) -> Mailbox:
    """Return the mailbox of a normal address and lock its row, in a transaction. Rejected as by `get`."""
    return _there(normal, _locked(normal))


def locked_removed(normal: str) -> Mailbox:
    """Return a removed mailbox and lock its row. Rejected when it is not removed, or went with its domain."""
    mailbox = _locked(normal)
    if mailbox is None:
        raise unknown(normal)
    if mailbox.removed_at is None:
        raise removal_state.not_removed(mailbox)
    if mailbox.removed_with_domain:
        raise removal_state.refusal(mailbox)
    return mailbox


def unknown(address: str) -> Rejected:
    """Return the refusal for an address that has no mailbox."""
    return Rejected(_("%(address)s is not a mailbox of this site") % {"address": address})


def above_quota(mailbox: Mailbox) -> bool:
    """Return whether the mailbox holds more than its quota. Imports and restores may exceed it, deliveries may not."""
    octets, messages = mailbox.quota_octets, mailbox.quota_messages
    return (octets is not None and mailbox.octets > octets) or (messages is not None and mailbox.messages > messages)


def normalized(address: str) -> str:
    """Return the address in the form in which it is stored; Rejected says what is wrong with it."""
    try:
        return normal_address(address)
    except BadAddress as error:
        raise Rejected(address_error.sentence(error)) from error


def _locked(normal: str) -> Mailbox | None:
    rows = Mailbox.objects.select_related("user", "domain").select_for_update(of=("self",))
    return rows.filter(user__address=normal).first()


def _there(normal: str, mailbox: Mailbox | None) -> Mailbox:
    if mailbox is None:
        raise unknown(normal)
    if mailbox.removed_at is not None:
        raise removal_state.refusal(mailbox)
    return mailbox
