"""New passwords: generated, held against the site's rules, set on a user; checking one at sign-in is elsewhere."""

from __future__ import annotations

import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from mailstore.models import User
from mailstore.store.outcomes import Rejected

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no two of them look alike in print or on a screen
GROUPS, GROUP_CHARACTERS = 4, 4  # 79 bits, in pieces short enough to read out
# RFC 2449 §4: a command line has 255 octets, "PASS " and CRLF included.
MAX_OCTETS = 200


def generate() -> str:
    """Return a new password such as `k7mq-x2ra-hh9d-w3tc`."""
    return "-".join("".join(secrets.choice(ALPHABET) for _n in range(GROUP_CHARACTERS)) for _g in range(GROUPS))


class SendablePasswordValidator:
    """A validator for AUTH_PASSWORD_VALIDATORS: every mail program must be able to send the password in one line."""

    def validate(self, password: str, user: User | None = None) -> None:
        if not password.isprintable():
            raise ValidationError(_("The password has a character that cannot be typed."), code="unprintable")
        if len(password.encode()) > MAX_OCTETS:
            raise ValidationError(_("The password is too long for mail programs."), code="too_long")

    def get_help_text(self) -> str:
        return _("Letters, digits, blanks and signs are fine, up to %(octets)d octets.") % {"octets": MAX_OCTETS}


def check(password: str, user: User) -> None:
    """Hold a password that a person chose against the site's rules; Rejected says which it breaks."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Rejected(" ".join(error.messages)) from error


def put(user: User, password: str) -> None:
    """Give the user, not saved here, this password and the moment of its change."""
    user.set_password(password)
    user.password_changed_at = timezone.now()
