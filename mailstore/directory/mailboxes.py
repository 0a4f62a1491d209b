"""Mailboxes with their users: made, changed, given a password; removal and what is in them belong to other files."""

from __future__ import annotations

from typing import Any, Unpack

from django.db import transaction

from mailstore.directory import address_error, audit, grants, mailbox_batch, new_password, removal_notice
from mailstore.directory.audit import Actor
from mailstore.directory.mailbox_batch import Fields, Wanted
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
    **fields: Unpack[Fields],
) -> Ensured[Mailbox]:
    """Make the mailbox with its user and main device unless it is there, and set the given fields.

    Its domain must exist and be below its limit. A new mailbox without `password` gets a generated one (`secret`); one
    without a quota gets that of its domain. A domain admin keeps within the domain's caps.
    Barring the main password from POP lets mail that waited for it alone go, into recovery.
    Rejected for a bad address or value, a password against the rules, an address that an alias, an admin or what was
    removed has; for one that is there or not, where `only` the other kind is meant; a password as by `set_password`.
    """
    wanted = Wanted(normalized(address), fields, password, look_alike)
    (answer,) = mailbox_batch.ensure([wanted], actor=actor, only=only)
    if isinstance(answer, Rejected):
        raise answer
    return answer


def set_password(address: str, password: str | None, *, actor: Actor, must_change: bool = False) -> str | None:
    """Replace the main password; None generates one, which is returned. Web sessions and POP3 caches end with it.

    Where the owner `must_change` it, the pages let him do nothing else first; POP3 takes it until then.
    Rejected for a domain admin where the owner administers a domain that he does not.
    """
    normal = normalized(address)
    secret = new_password.generate() if password is None else None
    (encoded,) = new_password.hashed([New(password or secret or "", generated=password is None)])
    with transaction.atomic():
        mailbox = locked(normal)
        grants.refuse_sign_in(mailbox.user, grants.beyond([mailbox.user], actor=actor))
        if password is not None:
            new_password.check(password, mailbox.user)
        new_password.have(mailbox.user, encoded)
        mailbox.user.must_change_password = must_change
        mailbox.user.save(update_fields=[*new_password.FIELDS, "must_change_password"])
        forced: dict[str, Any] = {"must_change_password": True} if must_change else {}
        audit.record(actor, "mailbox.password", normal, mailbox=mailbox, **forced)
    return secret


def get(address: str) -> Mailbox:
    """Return the mailbox of this address, in any case. Rejected when there is none, or when it is removed."""
    normal = normalized(address)
    return _there(normal, Mailbox.objects.select_related("user", "domain").filter(user__address=normal).first())


def locked(normal: str) -> Mailbox:
    """Return the mailbox of a normal address with its row locked, in a transaction. Rejected as by `get`."""
    return _there(normal, _locked(normal))


def locked_removed(normal: str) -> Mailbox:
    """Return a mailbox that was removed by itself, with its row locked. Rejected when it was not."""
    mailbox = _locked(normal)
    if mailbox is None:
        raise removal_notice.unknown(normal)
    if mailbox.removed_at is None:
        raise removal_notice.not_removed(mailbox)
    if mailbox.removed_with_domain:
        raise removal_notice.refusal(mailbox)
    return mailbox


def above_quota(mailbox: Mailbox) -> bool:
    """True when the mailbox holds more than its quota: imports and restores may do that, deliveries not."""
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
