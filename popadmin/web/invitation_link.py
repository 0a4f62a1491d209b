"""The link by which the owner of a mailbox chooses a password: for a week, as it may come on paper."""

from __future__ import annotations

from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest
from django.urls import reverse

from mailstore.models import User

VALID = timedelta(days=7)


def url(request: HttpRequest, user: User, *, mailed_to: str = "") -> str:
    """Return a new link. It ends with the first password that is chosen, or with the next sign-in to the pages.

    `mailed_to` is the user's address for the invitation if the link goes there: then it also proves that address.
    """
    return request.build_absolute_uri(reverse("invitation", args=[_signer(user, mailed_to).sign(str(user.pk))]))


def key_of(token: str) -> int | None:
    """Return the key of the user whom a token names. Nothing is proved yet; None for any other text."""
    key = token.partition(":")[0]
    return int(key) if key.isascii() and key.isdigit() and len(key) < len(str(2**63)) else None


def is_valid(user: User, token: str) -> bool:
    return _is_signed(user, token) or proves_address(user, token)


def proves_address(user: User, token: str) -> bool:
    """Return whether this link was mailed to what is still the user's address for the invitation."""
    return bool(user.invitation_address) and _is_signed(user, token, user.invitation_address)


def _is_signed(user: User, token: str, mailed_to: str = "") -> bool:
    try:
        _signer(user, mailed_to).unsign(token, max_age=VALID)
    except BadSignature:
        return False
    return True


def _signer(user: User, mailed_to: str = "") -> TimestampSigner:
    """Return a signer for this user as they are now: another password or sign-in makes another signature."""
    address = f" {mailed_to}" if mailed_to else ""
    return TimestampSigner(salt=f"popadmin.invitation {user.password} {user.last_login}{address}")
