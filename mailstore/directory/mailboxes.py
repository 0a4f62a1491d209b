"""Create and change mailboxes, set their passwords, and record invitations to choose one."""

from __future__ import annotations

from typing import Any, Unpack

from django.db import transaction

from mailstore.directory import (
    audit,
    domain_caps,
    mailbox_batch,
    mailbox_lookup,
    new_password,
    recovery_addresses,
)
from mailstore.directory.audit import Actor
from mailstore.directory.existing_password import ExistingPassword
from mailstore.directory.fields.mailbox import MailboxValues
from mailstore.directory.mailbox_judge import Wanted
from mailstore.directory.new_password import New
from mailstore.directory.outcome import Ensured, Only, Rejected
from mailstore.models import Mailbox, User


def ensure(
    address: str,
    *,
    actor: Actor,
    password: str | ExistingPassword | None = None,
    look_alike: bool = False,
    invitation_address: str = "",
    only: Only | None = None,
    **fields: Unpack[MailboxValues],
) -> Ensured[Mailbox]:
    """Create the mailbox with its user and main device unless it is there, and set the given fields.

    Its domain must exist and be below its limit. A new mailbox without `password` gets a generated one (`secret`). One
    without a quota gets the quota of its domain. The caps of the domain bind a domain admin. When the main password is
    barred from POP, mail that waited for it alone is removed, into recovery.

    Rejected for a bad address or value, for a password against the rules, and for an address that belongs to an alias,
    an admin or a removed mailbox. With `only`, rejected for a mailbox of the other kind (new, or there already). A
    password is refused as by `set_password`. One that existed elsewhere is taken even if it is weak. Then the pages ask
    for another one, unless `must_change_password` is given. `invitation_address` says where the owner of a new mailbox
    may be invited; it is refused as a recovery address is.
    """
    normal = mailbox_lookup.normalized(address)
    wanted = Wanted(normal, fields, password, look_alike, _invitation(invitation_address, own=normal))
    (answer,) = mailbox_batch.ensure([wanted], actor=actor, only=only)
    if isinstance(answer, Rejected):
        raise answer
    return answer


def _invitation(address: str, *, own: str) -> str:
    try:
        return recovery_addresses.elsewhere(address, own=own) if address else ""
    except Rejected as refusal:
        raise Rejected(str(refusal), field="invitation_address") from refusal


def set_password(
    address: str, password: str | ExistingPassword | None, *, actor: Actor, must_change: bool = False
) -> str | None:
    """Replace the main password. None generates one, which is returned. Web sessions and POP3 sessions end.

    With `must_change`, the pages first ask the owner for another password; POP3 accepts this one until then. They ask
    too where the password existed elsewhere and is weak. Rejected for a domain admin if the owner administers a domain
    that the admin does not.
    """
    normal = mailbox_lookup.normalized(address)
    secret = new_password.generate() if password is None else None
    given = New(secret or "", generated=True) if password is None else New.of(password)
    (encoded,) = new_password.hashed([given])
    with transaction.atomic():
        mailbox = mailbox_lookup.locked(normal)
        _refuse_out_of_reach(mailbox.user, actor)
        if password is not None and new_password.check(password, mailbox.user):
            must_change = True
        new_password.set_hash(mailbox.user, encoded)
        mailbox.user.must_change_password = must_change
        mailbox.user.save(update_fields=[*new_password.FIELDS, "must_change_password"])
        forced: dict[str, Any] = {"must_change_password": True} if must_change else {}
        audit.record(actor, "mailbox.password", normal, mailbox=mailbox, **forced)
    return secret


def refuse_invitation(mailbox: Mailbox, *, actor: Actor) -> None:
    """Refuse to mail a link to an address that only an admin has named, as such a link is as good as the password.

    Rejected for a domain admin as by `set_password`. A recovery address is the owner's own choice.
    """
    if not mailbox.user.recovery_address:
        _refuse_out_of_reach(mailbox.user, actor)


def record_invitation(mailbox: Mailbox, address: str, *, actor: Actor) -> None:
    """Record that a link to choose a password was mailed to this address."""
    masked = recovery_addresses.masked(address)
    audit.record(actor, "mailbox.invite", mailbox.user.address, mailbox=mailbox, address=masked)


def record_letter(mailbox: Mailbox, *, actor: Actor) -> None:
    """Record that a letter with a link to choose a password is made, to be printed. Called before it is shown.

    The link is as good as the password. Rejected for a domain admin as by `set_password`.
    """
    _refuse_out_of_reach(mailbox.user, actor)
    audit.record(actor, "mailbox.letter", mailbox.user.address, mailbox=mailbox)


def _refuse_out_of_reach(user: User, actor: Actor) -> None:
    domain_caps.refuse_out_of_reach(user, domain_caps.out_of_reach([user], actor=actor))
