"""New passwords: generated, held against the site's rules, set on a user; checking one at sign-in is elsewhere."""

from __future__ import annotations

import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from mailstore.models import User
from mailstore.store.hashers import Argon2Generated
from mailstore.store.outcomes import Rejected

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no two of them look alike in print or on a screen
FIELDS = ("password", "previous_password", "password_changed_at")  # of User, which a new password changes
GROUPS, GROUP_CHARACTERS = 4, 4  # 79 bits, in pieces short enough to read out


def generate() -> str:
    """Return a new password such as `k7mq-x2ra-hh9d-w3tc`."""
    return "-".join("".join(secrets.choice(ALPHABET) for _n in range(GROUP_CHARACTERS)) for _g in range(GROUPS))


def check(password: str, user: User) -> None:
    """Hold a password that a person chose against the site's rules; Rejected says which it breaks."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Rejected(" ".join(error.messages)) from error


def put(user: User, password: str) -> None:
    """Give the user, not saved here, this password and the moment of its change: save FIELDS."""
    _set_aside(user)
    user.set_password(password)


def put_generated(user: User, secret: str) -> None:
    """The same for what `generate` made, at the lower cost that its chance allows."""
    _set_aside(user)
    hasher = Argon2Generated()
    user.password = hasher.encode(secret, hasher.salt())


def _set_aside(user: User) -> None:
    """Keep the hash that is about to go, so that a device which still sends that password is told apart."""
    user.previous_password = user.password if user.has_usable_password() else ""
    user.password_changed_at = timezone.now()
