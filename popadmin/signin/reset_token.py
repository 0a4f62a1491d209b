"""The link for a forgotten password, with Django's own tokens: whose it is, and whether it is valid.

A token is valid for PASSWORD_RESET_TIMEOUT, and only until the password, the recovery address or the last sign-in
changes; so it works once.
"""

from __future__ import annotations

from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from mailstore.models import User
from popadmin.web import people


def of(user: User) -> tuple[str, str]:
    """Return the two parts of the link."""
    return urlsafe_base64_encode(str(user.pk).encode()), default_token_generator.make_token(user)


def whose(uid: str, token: str) -> User | None:
    """Return the user of a valid link; None for any other link, and for users who may not use the web."""
    try:
        key = int(force_str(urlsafe_base64_decode(uid)))
    except (ValueError, OverflowError):
        return None
    user = people.people().filter(pk=key).first() if 0 < key < 2**63 else None
    if user is None or people.suspended(user) or people.web_switched_off(user):
        return None
    return user if default_token_generator.check_token(user, token) else None
