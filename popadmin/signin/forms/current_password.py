"""Ask for the current password before actions that somebody at an open page must not do."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mailstore.models import User
from popadmin.signin.forms.sign_in import SignIn
from popadmin.signin.hash_limit import Busy, places
from popadmin.signin.login_throttle import guesses


def proven(user: User, client: str, password: str) -> str:
    """Return the password if it is the user's; otherwise ValidationError. Wrong ones count as at the sign-in."""
    if guesses.barred(client, user.address):
        raise ValidationError(SignIn.error_messages["barred"], "barred")
    try:
        with places.one(client, known=True):
            right = user.check_password(password)
    except Busy:
        raise ValidationError(SignIn.error_messages["busy"], "busy") from None
    if not right:
        guesses.wrong(client, user.address, password, unknown=False)
        raise ValidationError(_("This is not your current password."), "password_incorrect")
    return password
