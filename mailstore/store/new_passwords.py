"""New passwords: generated, held against the site's rules, set on a user; checking one at sign-in is elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from mailstore.models import User
from mailstore.store import hashers
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


@dataclass(frozen=True, slots=True)
class Coming:
    """A password that a user, not saved here, is about to have: its moment is set, its hash is still to be made."""

    user: User
    password: str
    generated: bool


def announce(user: User, password: str, *, generated: bool = False) -> Coming:
    """Set aside the hash that is about to go, so that a device which still sends that password is told apart.

    Of what `generate` made the hash costs less, as its chance allows. Save FIELDS behind `hash_all`.
    """
    user.previous_password = user.password if user.has_usable_password() else ""
    user.password_changed_at = timezone.now()
    return Coming(user, password, generated)


def hash_all(coming: Sequence[Coming]) -> None:
    """Make the hashes, on all cores."""
    hashers.on_all_cores(_hash, coming)


def put(user: User, password: str) -> None:
    """Give the user, not saved here, this password and the moment of its change: save FIELDS."""
    hash_all([announce(user, password)])


def put_generated(user: User, secret: str) -> None:
    """The same for what `generate` made."""
    hash_all([announce(user, secret, generated=True)])


def give(user: User, *, chosen: str | None, generated: str | None) -> None:
    """Give the user, not saved here, the one of the two that is there. Rejected for a chosen one against the rules."""
    if chosen is not None:
        check(chosen, user)
        put(user, chosen)
    elif generated is not None:
        put_generated(user, generated)


def fit(pairs: Sequence[tuple[User, str]]) -> list[bool]:
    """Whether each user has this password, by slow hashes on all cores; nothing is saved."""
    return hashers.on_all_cores(lambda pair: check_password(pair[1], pair[0].password), pairs)


def _hash(coming: Coming) -> None:
    if coming.generated:
        hasher = hashers.Argon2Generated()
        coming.user.password = hasher.encode(coming.password, hasher.salt())
    else:
        coming.user.password = make_password(coming.password)
