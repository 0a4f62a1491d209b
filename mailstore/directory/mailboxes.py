"""Create, change and find mailboxes, and set their passwords. Removal is in `mailbox_removal`."""

from __future__ import annotations

from typing import Any, Unpack

from django.db import transaction

from mailstore.directory import address_error, audit, domain_caps, mailbox_batch, new_password, removal_notice
from mailstore.directory.audit import Actor
from mailstore.directory.fields.mailbox import MailboxValues
from mailstore.directory.mailbox_batch import Wanted
from mailstore.directory.new_password import New
from mailstore.directory.outcome import Ensured, Only, Rejected
from mailstore.models import Mailbox
from mailstore.policy.addresses import BadAddress, normal_address


def ensure(
    address: str,
    *,
    actor: Actor,
    password: str | None = None,
    look_alike: bool = False,
    only: Only | None = None,
    **fields: Unpack[MailboxValues],
) -> Ensured[Mailbox]:
    """Create the mailbox with its user and main device unless it is there, and set the given fields.

    Its domain must exist and be below its limit. A new mailbox without `password` gets a generated one (`secret`). One
    without a quota gets the quota of its domain. The caps of the domain bind a domain admin. When the main password is
    barred from POP, mail that waited for it alone is removed, into recovery.

    Rejected for a bad address or value, for a password against the rules, and for an address that belongs to an alias,
    an admin or a removed mailbox. With `only`, rejected for a mailbox of the other kind (new, or there already). A
    password is refused as by `set_password`.
    """
    wanted = Wanted(normalized(address), fields, password, look_alike)
    (answer,) = mailbox_batch.ensure([wanted], actor=actor, only=only)
    if isinstance(answer, Rejected):
        raise answer
    return answer


def set_password(address: str, password: str | None, *, actor: Actor, must_change: bool = False) -> str | None:
    """Replace the main password. None generates one, which is returned. Web sessions and POP3 sessions end.

    With `must_change`, the pages first ask the owner for another password; POP3 accepts this one until then. Rejected
    for a domain admin if the owner administers a domain that the admin does not.
    """
    normal = normalized(address)
    secret = new_password.generate() if password is None else None
    (encoded,) = new_password.hashed([New(password or secret or "", generated=password is None)])
    with transaction.atomic():
        mailbox = locked(normal)
        out_of_reach = domain_caps.out_of_reach([mailbox.user], actor=actor)
        domain_caps.refuse_out_of_reach(mailbox.user, out_of_reach)
        if password is not None:
            new_password.check(password, mailbox.user)
        new_password.set_hash(mailbox.user, encoded)
        mailbox.user.must_change_password = must_change
        mailbox.user.save(update_fields=[*new_password.FIELDS, "must_change_password"])
        forced: dict[str, Any] = {"must_change_password": True} if must_change else {}
        audit.record(actor, "mailbox.password", normal, mailbox=mailbox, **forced)
    return secret


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
        raise removal_notice.unknown(normal)
    if mailbox.removed_at is None:
        raise removal_notice.not_removed(mailbox)
    if mailbox.removed_with_domain:
        raise removal_notice.refusal(mailbox)
    return mailbox


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
        raise removal_notice.unknown(normal)
    if mailbox.removed_at is not None:
        raise removal_notice.refusal(mailbox)
    return mailbox
