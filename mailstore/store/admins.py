"""Hosting admins: made and given a password. What they may do is decided by the pages, not here."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.models import User
from mailstore.store import audit, new_passwords
from mailstore.store.audit import Actor
from mailstore.store.outcomes import Changes, Ensured, Rejected, last_word

LOGIN_CHARACTERS = 254  # as an address
_RACES = {"mailstore_user_address_key": gettext_lazy("this login was taken a moment ago: try again")}


def ensure(login: str, *, actor: Actor, password: str | None = None) -> Ensured[User]:
    """Make the admin unless there; a given password replaces the old one, a new admin without gets one (`secret`).

    Rejected for a login with blanks or none at all, one that a mailbox owner has, a password against the rules.
    """
    name = _checked(login)
    with transaction.atomic(), last_word(_RACES):
        user = User.objects.select_for_update().filter(address=name).first()
        if user is not None and user.role != User.Role.ADMIN:
            raise Rejected(_("%(login)s is the address of a mailbox owner") % {"login": name})
        created = user is None
        secret = new_passwords.generate() if created and password is None else None
        user = user or User(address=name, role=User.Role.ADMIN)
        changes = _put_password(user, chosen=password, generated=secret)
        if created or changes:
            user.save()
            audit.record(actor, "admin.create" if created else "admin.change", name)
    return Ensured(user, created, {} if created else changes, secret)


def _checked(login: str) -> str:
    name = login.strip().lower()
    if not name or len(name) > LOGIN_CHARACTERS or not name.isprintable() or " " in name:
        raise Rejected(
            _("%(login)r is not a login: 1 to %(most)d characters without blanks")
            % {"login": login, "most": LOGIN_CHARACTERS}
        )
    return name


def _put_password(user: User, *, chosen: str | None, generated: str | None) -> Changes:
    if generated is not None:
        new_passwords.put(user, generated)
        return {}
    if chosen is None or (user.pk and user.check_password(chosen)):
        return {}
    before = user.password_changed_at
    new_passwords.check(chosen, user)
    new_passwords.put(user, chosen)
    return {"password_changed_at": (before, user.password_changed_at)}
