"""Generate new passwords, check them against the site's rules, hash them and set them on users."""

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
FIELDS = ("password", "previous_password", "password_changed_at")  # the columns of User that a new password changes
_HASH = gettext_lazy(
    "This looks like a password hash (%(scheme)s), not like a password: type the password itself, or choose a new one."
)
GROUPS, GROUP_CHARACTERS = 4, 4  # 79 bits, in pieces short enough to read out


def generate() -> str:
    """Return a new password such as `k7mq-x2ra-hh9d-w3tc`."""
    return "-".join("".join(secrets.choice(ALPHABET) for _n in range(GROUP_CHARACTERS)) for _g in range(GROUPS))


class NoHash:
    """Django validator that refuses a password hash as a password.

    Anybody who has read the hash in an old database could sign in with it. Pages, files and the shell all check new
    passwords by the site's validators.
    """

    def validate(self, password: str, _user: User | None = None) -> None:
        scheme = hash_form.scheme_of(password)
        if scheme is not None:
            raise ValidationError(_HASH, "hash", {"scheme": scheme})

    def get_help_text(self) -> str:
        return _("Your password must not look like a password hash.")


def refuse_hash(password: str) -> None:
    """Refuse a text in the form of a hash, before it is compared with the present password."""
    try:
        NoHash().validate(password)
    except ValidationError as error:
        raise Rejected(" ".join(error.messages), field="password") from error


def check(password: str, user: User) -> None:
    """Check a password that a person chose against the site's rules. Rejected says which it breaks."""
    refuse_hash(password)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Rejected(" ".join(error.messages), field="password") from error


@dataclass(frozen=True, slots=True)
class New:
    """A password, and whether `generate` made it: then a cheaper hash is enough."""

    password: str
    generated: bool = False


def hashed(passwords: Sequence[New]) -> list[str]:
    """Return the hashes of the passwords, made on all cores. Called before rows are locked."""
    return password_hasher.on_all_cores(_hash, passwords)


def set_hash(user: User, encoded: str) -> None:
    """Set this hash as the password of the user. The caller saves FIELDS.

    The old hash is kept apart, so that a device that still sends the old password is recognised.
    """
    user.previous_password = user.password if user.has_usable_password() else ""
    user.password_changed_at = timezone.now()
    user.password = encoded


def put(user: User, password: str) -> None:
    """Hash a password and set it on the user. The caller saves FIELDS."""
    set_hash(user, *hashed([New(password)]))


def put_generated(user: User, secret: str) -> None:
    """Do the same for a password that `generate` made."""
    set_hash(user, *hashed([New(secret, generated=True)]))


def match(pairs: Sequence[tuple[str, str]]) -> list[bool]:
    """Return for each pair of password and stored hash whether they match, by slow hashes on all cores."""
    return password_hasher.on_all_cores(lambda pair: check_password(*pair), pairs)


def _hash(new: New) -> str:
    if new.generated:
        hasher = password_hasher.Argon2Generated()
        return hasher.encode(new.password, hasher.salt())
    return make_password(new.password)
