"""The forms of the recovery address, and of the code that is mailed there."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from mailstore.directory.recovery_addresses import CODE_DIGITS
from mailstore.models import User
from mailstore.policy.addresses import ADDRESS_OCTETS
from popadmin.signin.forms.current_password import proven


class RecoveryAddress(forms.Form):
    """The address and the password: somebody at an open page must not redirect the next reset."""

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
        return proven(self.user, self.client, self.cleaned_data["password"])


class Code(forms.Form):
    """The code from the mail; blanks are ignored."""

    code = forms.CharField(
        label=_("Code from the mail"),
        max_length=2 * CODE_DIGITS,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )
