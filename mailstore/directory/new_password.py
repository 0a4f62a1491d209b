"""New passwords: generated, held against the site's rules, set on a user; checking one at sign-in is elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import password_hasher
from mailstore.directory.outcome import Rejected
from mailstore.models import User
from mailstore.policy import hash_form

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no two of them look alike in print or on a screen
FIELDS = ("password", "previous_password", "password_changed_at")  # of User, which a new password changes
_HASH = gettext_lazy(
    "This has the form of a password hash (%(scheme)s) and is not taken for a password: "
    "write the password itself, or choose a new one."
)
GROUPS, GROUP_CHARACTERS = 4, 4  # 79 bits, in pieces short enough to read out


def generate() -> str:
    """Return a new password such as `k7mq-x2ra-hh9d-w3tc`."""
    return "-".join("".join(secrets.choice(ALPHABET) for _n in range(GROUP_CHARACTERS)) for _g in range(GROUPS))


class NoHash:
    """A hash is no password: whoever has read it in an old database could sign in with it (a Django validator).

    Serves pages, files and the shell, as each holds a new password against the site's validators.
    """

    def validate(self, password: str, _user: User | None = None) -> None:
        scheme = hash_form.scheme_of(password)
        if scheme is not None:
            raise ValidationError(_HASH, "hash", {"scheme": scheme})

    def get_help_text(self) -> str:
        return _("Your password must not have the form of a password hash.")


def refuse_hash(password: str) -> None:
    """Refuse what has the form of a hash, before the password is compared with anything."""
    try:
        NoHash().validate(password)
    except ValidationError as error:
        raise Rejected(" ".join(error.messages), field="password") from error


def check(password: str, user: User) -> None:
    """Hold a password that a person chose against the site's rules; Rejected says which it breaks."""
    refuse_hash(password)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Rejected(" ".join(error.messages), field="password") from error


@dataclass(frozen=True, slots=True)
class New:
    """A password, and whether `generate` made it: then its hash costs less, as its chance allows."""

    password: str
    generated: bool = False


def hashed(passwords: Sequence[New]) -> list[str]:
    """Make their hashes, on all cores. Where rows are locked, before that."""
    return password_hasher.on_all_cores(_hash, passwords)


def have(user: User, encoded: str) -> None:
    """Let the user, not saved here, have the password of this hash from now on: save FIELDS.

    The one that goes is set aside, so that a device which still sends that password is told apart.
    """
    user.previous_password = user.password if user.has_usable_password() else ""
    user.password_changed_at = timezone.now()
    user.password = encoded


def put(user: User, password: str) -> None:
    """Hash a password, and let the user have it."""
    have(user, *hashed([New(password)]))


def put_generated(user: User, secret: str) -> None:
    """The same for what `generate` made."""
    have(user, *hashed([New(secret, generated=True)]))


def fit(pairs: Sequence[tuple[str, str]]) -> list[bool]:
    """Of passwords and stored hashes: whether they fit, by slow hashes on all cores."""
    return password_hasher.on_all_cores(lambda pair: check_password(*pair), pairs)


def _hash(new: New) -> str:
    if new.generated:
        hasher = password_hasher.Argon2Generated()
        return hasher.encode(new.password, hasher.salt())
    return make_password(new.password)
