"""Suspend and remove administrators, and give them new passwords. The last hosting admin always stays."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from mailstore.directory import admins, audit, grants, new_password
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import DomainGrant, Mailbox, User


def suspend(login: str, *, suspended: bool, actor: Actor) -> bool:
    """Suspend or resume an administrator. False if already so. Rejected for the last one, and for a mailbox owner."""
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
    """Set and return a generated password, to be changed at the next sign-in. Rejected for a mailbox owner."""
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
    """End all rights of an administrator. Deletes the user, unless they own a mailbox. Rejected for the last one."""
    with transaction.atomic():
        user = _locked(login)
        _refuse_last(user)
        # Hosting admins alone read this entry of all domains. The owner and each domain have the entries of the grants.
        audit.record(actor, "admin.remove", user.address, domains=grants.revoke_all(user, actor=actor))
        if not Mailbox.objects.filter(user=user).exists():
            user.delete()


def _locked(login: str) -> User:
    """Return the administrator. All hosting admins are locked in one order, so that two cannot suspend each other."""
    list(User.objects.filter(role=User.Role.ADMIN).order_by("pk").select_for_update().values_list("pk"))
    name = admins.checked_login(login)
    user = User.objects.select_for_update().filter(address=name).first()
    if user is None or not (user.role == User.Role.ADMIN or DomainGrant.objects.filter(user=user).exists()):
        raise Rejected(_("%(login)s is not an administrator of this site") % {"login": name})
    return user


def _refuse_last(user: User) -> None:
    others = User.objects.filter(role=User.Role.ADMIN, is_active=True).exclude(pk=user.pk)
    if user.role == User.Role.ADMIN and user.is_active and not others.exists():
        raise Rejected(_("%(login)s is the last hosting admin: create another one first") % {"login": user.address})


def _refuse_owner(user: User) -> None:
    if Mailbox.objects.filter(user=user).exists():
        raise Rejected(_("%(login)s owns a mailbox: do this on the mailbox") % {"login": user.address})
