"""Set, confirm (by a mailed code) and remove recovery addresses. The pages send the mail.

A recovery address lies outside of the domains hosted here, since an administrator of a domain can read its mail.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, F, Func, OuterRef, TextField, Value
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from mailstore.directory import audit, mailbox_lookup
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import Domain, MailedCode, User
from mailstore.policy.addresses import shown_domain

CODE_DIGITS = 6  # typed from one screen to another; five tries find one in two hundred thousand
CODE_MINUTES = 15
TRIES = 5


def ask(user: User, address: str) -> tuple[str, str]:
    """Start to set a recovery address. Returns its stored form, and the code to be mailed there.

    An earlier code ends. Rejected for a bad address, for the user's own (mail about a lost password could not be read
    there), and for one in a domain that is hosted here.
    """
    normal = elsewhere(address, own=user.address)
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    ends_at = timezone.now() + timedelta(minutes=CODE_MINUTES)
    fields = {"address": normal, "digest": _digest(user, normal, code), "ends_at": ends_at, "tries_left": TRIES}
    MailedCode.objects.update_or_create(user=user, defaults=fields)
    return normal, code


def elsewhere(address: str, *, own: str) -> str:
    """Return the stored form of an address that could be a recovery address of the account `own`.

    Rejected for a bad address, for the account's own, and for one in a domain that is hosted here.
    """
    normal = mailbox_lookup.normalized(address)
    if normal == own:
        raise Rejected(_("this is the mailbox itself: without its password, nobody can read what is sent there"))
    if _leads_here(normal):
        raise Rejected(
            _(
                "%(domain)s is hosted here, and its administrators could read what is sent there: "
                "choose an address elsewhere"
            )
            % {"domain": shown_domain(normal.rpartition("@")[2])}
        )
    return normal


def pending_code(user: User) -> MailedCode | None:
    """Return the address that waits for its code, or None."""
    return MailedCode.objects.filter(user=user, ends_at__gt=timezone.now(), tries_left__gt=0).first()


def confirm(user: User, code: str, *, actor: Actor) -> str:
    """Set the address of the code for the user, and return it. Rejected for another code, and for all after TRIES.

    A statement of its own counts the try before the code is compared. So no refusal takes the try back, and of many
    tries at the same time only TRIES are compared.
    """
    waiting = MailedCode.objects.filter(user=user, ends_at__gt=timezone.now())
    counted = waiting.filter(tries_left__gt=0).update(tries_left=F("tries_left") - 1)
    with transaction.atomic():
        row = waiting.select_for_update().first() if counted else None
        given = _digest(user, row.address if row else "", "".join(code.split()))
        if row is None or not hmac.compare_digest(given, bytes(row.digest)):
            raise Rejected(_("this is not the code that was sent, or it has expired"))
        _put(user, row.address, actor=actor)
        row.delete()
    return row.address


def accept_invitation(user: User, *, actor: Actor) -> None:
    """Let the address of the invitation be the recovery address: the link that was mailed there is being used.

    Called in the transaction that sets the password. An address in a domain that came here since is dropped, and so is
    one that the owner has replaced in the meantime.
    """
    address = user.invitation_address
    row = User.objects.select_for_update().filter(pk=user.pk, invitation_address=address).first()
    if row is not None and not _leads_here(address):
        _put(user, address, actor=actor)


@transaction.atomic
def remove(user: User, *, actor: Actor) -> None:
    """Remove the recovery address. Then only an administrator can replace a forgotten password."""
    MailedCode.objects.filter(user=user).delete()
    _put(user, "", actor=actor)


def hosted() -> Exists:
    """Tell for a query of users whether the recovery address lies in a domain hosted here: then no link is sent there.

    A domain may come here after an address in it was confirmed, and a removed domain may be restored.
    """
    domain = Func(OuterRef("recovery_address"), Value("@"), Value(2), function="split_part", output_field=TextField())
    return Exists(Domain.objects.filter(name=domain))


def is_hosted(user: User) -> bool:
    """Return the same for one user."""
    return bool(user.recovery_address) and _leads_here(user.recovery_address)


def invited_at(user: User) -> str:
    """Return where an invitation may be mailed: the recovery address, else the address given for it; or nothing."""
    address = user.recovery_address or user.invitation_address
    return address if address and not _leads_here(address) else ""


def masked(address: str) -> str:
    """Return `a•••@example.org`: enough for its owner to recognise it, no more than a hint for others."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}•••{at}{domain}" if address else ""


def _put(user: User, address: str, *, actor: Actor) -> None:
    user.recovery_address, user.invitation_address = address, ""
    user.save(update_fields=["recovery_address", "invitation_address"])
    mailbox = getattr(user, "mailbox", None)
    audit.record(actor, "account.recovery-address", user.address, mailbox=mailbox, address=masked(address))


def _leads_here(address: str) -> bool:
    return Domain.objects.filter(name=address.rpartition("@")[2]).exists()


def _digest(user: User, address: str, code: str) -> bytes:
    return salted_hmac("mailstore.recovery_addresses", f"{user.pk} {address} {code}", algorithm="sha256").digest()
