"""Changes that users make to their own account. Each is one transaction with one audit row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from mailstore.directory import audit, new_password, recovery_addresses
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import assign, details
from mailstore.models import User, WebSession


@transaction.atomic
def change_password(user: User, password: str, *, actor: Actor) -> None:
    """Set the new password. Every other web session ends, because it depends on the stored hash. POP3 refuses the old
    password at the next sign-in, and open sessions end within a second."""
    _put_password(user, password)
    _record(user, "password.change", actor)


@transaction.atomic
def reset_password(user: User, password: str, *, client: str | None) -> None:
    """Set a password through the link that was mailed to the recovery address; the link replaces the old password."""
    _put_password(user, password)
    _record(user, "password.reset", Actor(user.address, "web", user, client))


@transaction.atomic
def accept_invitation(user: User, password: str, *, client: str | None, proves_address: bool) -> None:
    """Set the first password through the link of an invitation. A mailed link also proves the address that it went to,
    which has an audit row of its own."""
    if proves_address:
        recovery_addresses.accept_invitation(user, actor=Actor(user.address, "web", user, client))
    reset_password(user, password, client=client)


@transaction.atomic
def set_language(user: User, language: str, *, actor: Actor) -> None:
    """Set `language`, one of settings.LANGUAGES, for this user everywhere."""
    if User.objects.filter(pk=user.pk).exclude(language=language).update(language=language):
        _record(user, "language.change", actor, language=language)


@transaction.atomic
def set_name(user: User, name: str, *, actor: Actor) -> None:
    """Set the name that others see beside the address; it may be empty."""
    changes = assign(user, {"name": " ".join(name.split())})
    if changes:
        _record(user, "account.name", actor, changes=details(changes))


@transaction.atomic
def end_sessions(user: User, keys: Sequence[str], *, actor: Actor) -> int:
    """End the sessions with these keys. Returns how many of them still existed."""
    ended, _by_model = WebSession.objects.filter(user=user, session_key__in=keys).delete()
    if ended:
        _record(user, "account.sessions", actor, sessions=ended)
    return ended


def _put_password(user: User, password: str) -> None:
    new_password.put(user, password)
    user.must_change_password, user.invitation_address = False, ""
    user.save(update_fields=[*new_password.FIELDS, "must_change_password", "invitation_address"])


def _record(user: User, verb: str, actor: Actor, **facts: Any) -> None:
    audit.record(actor, verb, user.address, mailbox=getattr(user, "mailbox", None), **facts)
