"""What a person changes of himself; each one transaction, and one audit row."""

from __future__ import annotations

from django.db import transaction

from mailstore.models import User
from mailstore.store import audit, new_passwords
from mailstore.store.audit import Actor


@transaction.atomic
def change_password(user: User, password: str) -> None:
    """Set the new password. Every other web session ends, and POP3 refuses the old one at its next sign-in:
    both hold on to the stored hash, which is another one now."""
    new_passwords.put(user, password)
    user.save(update_fields=new_passwords.FIELDS)
    _record(user, "password.change")


@transaction.atomic
def choose_language(user: User, language: str) -> None:
    """Speak `language`, one of settings.LANGUAGES, to this user everywhere."""
    if User.objects.filter(pk=user.pk).exclude(language=language).update(language=language):
        _record(user, "language.change", language=language)


def _record(user: User, verb: str, **details: str) -> None:
    actor = Actor(user.address, "web", user)
    audit.record(actor, verb, user.address, mailbox=getattr(user, "mailbox", None), **details)
