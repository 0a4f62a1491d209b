"""Create hosting admins and set their passwords. The pages decide what they may do."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import address_error, audit, new_password
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Changes, Ensured, Rejected, refuse_violations
from mailstore.models import Mailbox, User
from mailstore.policy.addresses import BadAddress, normal_login

LOGIN_CHARACTERS = 254  # as an address
RACES = {"mailstore_user_address_key": gettext_lazy("this login was taken a moment ago: try again")}


def ensure(login: str, *, actor: Actor, password: str | None = None, must_change: bool = False) -> Ensured[User]:
    """Create the admin unless there. A given password replaces the old one.

    A new admin without `password` gets a generated one (`secret`); with `must_change`, they change it at the first
    sign-in. Rejected for an empty login or one with blanks, the login of a mailbox owner, and a password against the
    rules.
    """
    with transaction.atomic(), refuse_violations(RACES):
        return ensure_user(login, User.Role.ADMIN, actor=actor, password=password, must_change=must_change)


def ensure_user(login: str, role: str, *, actor: Actor, password: str | None, must_change: bool) -> Ensured[User]:
    """Return the user of this login and role, created unless there. The caller has a transaction and handles RACES."""
    name = checked_login(login)
    user = User.objects.select_for_update().filter(address=name).first()
    created = user is None
    if user is not None:
        _refuse_another(user, role, password)
    secret = new_password.generate() if created and password is None else None
    user = user or User(address=name, role=role, must_change_password=must_change and secret is not None)
    changes = _put_password(user, chosen=password, generated=secret)
    if created or changes:
        user.save()
        audit.record(actor, "admin.create" if created else "admin.change", name)
    return Ensured(user, created, {} if created else changes, secret)


def checked_login(login: str) -> str:
    """Return the login in the form in which it is stored. Rejected for what is no login."""
    name = login.strip()
    if not name or len(name) > LOGIN_CHARACTERS or not name.isprintable() or " " in name:
        raise Rejected(
            _("%(login)r is not a login: 1 to %(most)d characters without blanks")
            % {"login": login, "most": LOGIN_CHARACTERS}
        )
    try:
        return normal_login(name)
    except BadAddress as error:
        raise Rejected(address_error.sentence(error)) from error


def _refuse_another(user: User, role: str, password: str | None) -> None:
    """Refuse to turn a mailbox owner into a hosting admin, or the reverse."""
    words = {"login": user.address}
    if user.role != role:
        if role == User.Role.OWNER:
            raise Rejected(_("%(login)s is a hosting admin, who already manages every domain") % words)
        raise Rejected(_("%(login)s is the address of a mailbox owner") % words)
    if password is not None and role == User.Role.OWNER and Mailbox.objects.filter(user=user).exists():
        raise Rejected(_("%(login)s owns a mailbox: its password is set there") % words)


def _put_password(user: User, *, chosen: str | None, generated: str | None) -> Changes:
    if generated is not None:
        new_password.put(user, generated)
        return {}
    if chosen is None:
        return {}
    new_password.refuse_hash(chosen)
    if user.pk and user.check_password(chosen):
        return {}
    before = user.password_changed_at
    new_password.check(chosen, user)
    new_password.put(user, chosen)
    return {"password_changed_at": (before, user.password_changed_at)}
