"""The link by which the owner of a mailbox chooses a password: for a week, as it may come on paper."""

from __future__ import annotations

from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest
from django.urls import reverse

from mailstore.models import User

VALID = timedelta(days=7)


def url(request: HttpRequest, user: User) -> str:
    """Return a new link. It ends with the first password that is chosen, or with the next sign-in to the pages."""
    return request.build_absolute_uri(reverse("invitation", args=[_signer(user).sign(str(user.pk))]))


def key_of(token: str) -> int | None:
    """Return the key of the user whom a token names. Nothing is proved yet; None for any other text."""
    key = token.partition(":")[0]
    return int(key) if key.isascii() and key.isdigit() and len(key) < len(str(2**63)) else None


def is_valid(user: User, token: str) -> bool:
    try:
        _signer(user).unsign(token, max_age=VALID)
    except BadSignature:
        return False
    return True


def _signer(user: User) -> TimestampSigner:
    """Return a signer for this user as they are now: another password or sign-in makes another signature."""
    return TimestampSigner(salt=f"popadmin.invitation {user.password} {user.last_login}")
