"""Recovery addresses: asked for, confirmed by a mailed code, removed. The mail itself is sent by the pages.

They lie elsewhere: what is sent to a domain that is hosted here can be caught by whoever administers it, or did once.
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

from mailstore.directory import audit, mailboxes
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import Domain, MailedCode, User
from mailstore.policy.addresses import shown_domain

CODE_DIGITS = 6  # typed from one screen to another; five tries find one in two hundred thousand
CODE_MINUTES = 15
TRIES = 5


def ask(user: User, address: str) -> tuple[str, str]:
    """Begin to make this the recovery address; returns it as it is stored, and the code that is to be mailed there.

    The code before ends. Rejected for what is no address, or is the user's own: no mail about a lost password can be
    read there; and for one in a domain that is hosted here.
    """
    normal = mailboxes.normalized(address)
    if normal == user.address:
        raise Rejected(_("this is the mailbox itself: without its password, nobody reads what is sent there"))
    domain = normal.rpartition("@")[2]
    if Domain.objects.filter(name=domain).exists():
        raise Rejected(
            _(
                "%(domain)s is hosted here, and its administrators could read what is sent there: "
                "choose an address elsewhere"
            )
            % {"domain": shown_domain(domain)}
        )
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    ends_at = timezone.now() + timedelta(minutes=CODE_MINUTES)
    fields = {"address": normal, "digest": _digest(user, normal, code), "ends_at": ends_at, "tries_left": TRIES}
    MailedCode.objects.update_or_create(user=user, defaults=fields)
    return normal, code


def asked(user: User) -> MailedCode | None:
    """What waits for its code, or None."""
    return MailedCode.objects.filter(user=user, ends_at__gt=timezone.now(), tries_left__gt=0).first()


def confirm(user: User, code: str, *, actor: Actor) -> str:
    """Make the address of the code the user's, and return it. Rejected for any other code, after TRIES for all.

    A try is counted before it is looked at, by a statement of its own: no refusal takes it back, and of many tries at
    once TRIES are looked at.
    """
    waiting = MailedCode.objects.filter(user=user, ends_at__gt=timezone.now())
    counted = waiting.filter(tries_left__gt=0).update(tries_left=F("tries_left") - 1)
    with transaction.atomic():
        row = waiting.select_for_update().first() if counted else None
        given = _digest(user, row.address if row else "", "".join(code.split()))
        if row is None or not hmac.compare_digest(given, bytes(row.digest)):
            raise Rejected(_("this is not the code that was mailed, or it is too old"))
        _put(user, row.address, actor=actor)
        row.delete()
    return row.address


@transaction.atomic
def remove(user: User, *, actor: Actor) -> None:
    """Without one, a forgotten password takes an administrator."""
    MailedCode.objects.filter(user=user).delete()
    _put(user, "", actor=actor)


def hosted() -> Exists:
    """Of a query of users: whether the recovery address lies in a domain that is hosted here, so that no link goes
    there. Domains come here after addresses were confirmed; one that is removed may come back."""
    domain = Func(OuterRef("recovery_address"), Value("@"), Value(2), function="split_part", output_field=TextField())
    return Exists(Domain.objects.filter(name=domain))


def is_hosted(user: User) -> bool:
    """The same of one user."""
    return bool(user.recovery_address) and User.objects.filter(hosted(), pk=user.pk).exists()


def masked(address: str) -> str:
    """`a•••@example.org`: enough for its owner to know it, no more than a hint for anybody else."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}•••{at}{domain}" if address else ""


def _put(user: User, address: str, *, actor: Actor) -> None:
    user.recovery_address = address
    user.save(update_fields=["recovery_address"])
    mailbox = getattr(user, "mailbox", None)
    audit.record(actor, "account.recovery-address", user.address, mailbox=mailbox, address=masked(address))


def _digest(user: User, address: str, code: str) -> bytes:
    return salted_hmac("mailstore.recovery_addresses", f"{user.pk} {address} {code}", algorithm="sha256").digest()
