"""What becomes of an administrator: suspended, given a password, removed; never the last hosting admin."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from mailstore.directory import admins, audit, grants, new_password
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import DomainGrant, Mailbox, User


def suspend(login: str, *, suspended: bool, actor: Actor) -> bool:
    """Let him sign in nowhere, or again; False when it was so. Rejected for the last, and for who owns a mailbox."""
    with transaction.atomic():
        user = _locked(login)
        _refuse_owner(user)
        if suspended:
            _refuse_last(user)
        changed = user.is_active is suspended
        if changed:
            user.is_active = not suspended
            user.save(update_fields=["is_active"])
            changes = {"suspended": [not suspended, suspended]}
            audit.record(actor, "admin.change", user.address, changes=changes)
    return changed


def set_password(login: str, *, actor: Actor) -> str:
    """Generate a password, which is returned, to be changed at the next sign-in. Rejected for who owns a mailbox."""
    secret = new_password.generate()
    with transaction.atomic():
        user = _locked(login)
        _refuse_owner(user)
        new_password.put_generated(user, secret)
        user.must_change_password = True
        user.save(update_fields=[*new_password.FIELDS, "must_change_password"])
        audit.record(actor, "admin.password", user.address)
    return secret


def remove(login: str, *, actor: Actor) -> None:
    """Let him be no administrator any more. Who owns a mailbox keeps it; the others are gone. Rejected for the last."""
    with transaction.atomic():
        user = _locked(login)
        _refuse_last(user)
        # The entry that names them all is the hosting admins'; the owner and each domain have those of the grants.
        audit.record(actor, "admin.remove", user.address, domains=grants.revoke_all(user, actor=actor))
        if not Mailbox.objects.filter(user=user).exists():
            user.delete()


def _locked(login: str) -> User:
    """With all hosting admins locked in one order: two who suspend each other at once see what the other did."""
    list(User.objects.filter(role=User.Role.ADMIN).order_by("pk").select_for_update().values_list("pk"))
    name = admins.checked(login)
    user = User.objects.select_for_update().filter(address=name).first()
    if user is None or not (user.role == User.Role.ADMIN or DomainGrant.objects.filter(user=user).exists()):
        raise Rejected(_("%(login)s is not an administrator of this site") % {"login": name})
    return user


def _refuse_last(user: User) -> None:
    others = User.objects.filter(role=User.Role.ADMIN, is_active=True).exclude(pk=user.pk)
    if user.role == User.Role.ADMIN and user.is_active and not others.exists():
        raise Rejected(_("%(login)s is the last hosting admin: make another one first") % {"login": user.address})


def _refuse_owner(user: User) -> None:
    if Mailbox.objects.filter(user=user).exists():
        raise Rejected(_("%(login)s owns a mailbox: do that with the mailbox") % {"login": user.address})
