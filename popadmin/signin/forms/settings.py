"""The forms of a user's own settings: name, password, recovery address."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mailstore.directory import password_match
from mailstore.directory.recovery_addresses import CODE_DIGITS
from mailstore.models import User
from mailstore.policy.addresses import ADDRESS_OCTETS
from popadmin.signin.forms.sign_in import SignInForm, name_new_password
from popadmin.signin.limits import Busy, hash_slots, login_throttle


class ProfileForm(forms.Form):
    """The display name. The menu of the account has the language."""

    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=User._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class ChangePasswordForm(PasswordChangeForm):
    """The current password, and the new one twice. The validators of the settings check it; the view saves it."""

    def __init__(self, user: User, *args: Any, client: str, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.client = client
        self.fields["old_password"].label = _("Current password")
        name_new_password(self)

    def clean_old_password(self) -> str:
        return check_current_password(self.user, self.client, self.cleaned_data["old_password"])

    def clean_new_password1(self) -> str:
        chosen: str = self.cleaned_data["new_password1"]
        if chosen == self.cleaned_data.get("old_password"):
            raise ValidationError(_("This is your current password: choose another."), "same")
        return chosen


class RecoveryAddressForm(forms.Form):
    """The address and the password: somebody else at an open page must not redirect the next reset."""

    address = forms.CharField(
        label=_("Recovery address"),
        required=False,
        max_length=ADDRESS_OCTETS,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=_("An address that you can read elsewhere. Leave empty for none."),
    )
    password = forms.CharField(
        label=_("Current password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, user: User, *args: Any, client: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.client = user, client

    def clean_password(self) -> str:
        return check_current_password(self.user, self.client, self.cleaned_data["password"])


class RecoveryCodeForm(forms.Form):
    """The code from the mail; blanks are ignored."""

    code = forms.CharField(
        label=_("Code from the mail"),
        max_length=2 * CODE_DIGITS,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )


def check_current_password(user: User, client: str, password: str) -> str:
    """Return the password if it is the user's. Raise ValidationError otherwise; wrong ones count as at the sign-in.

    Forms ask for it before actions that somebody else at an open page must not do.
    """
    if login_throttle.barred(client, user.address):
        raise ValidationError(SignInForm.error_messages["barred"], "barred")
    try:
        with hash_slots.hold(client, known=True):
            right = password_match.matches(user, password)
    except Busy:
        raise ValidationError(SignInForm.error_messages["busy"], "busy") from None
    if not right:
        login_throttle.failed(client, user.address, password, unknown=False)
        raise ValidationError(_("This is not your current password."), "password_incorrect")
    return password
