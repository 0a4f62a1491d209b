"""The form of a forgotten password: the address. The answer reveals nothing about it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from mailstore.policy.addresses import ADDRESS_OCTETS
from popadmin.signin.forms.sign_in import UnrevealedField


class Forgotten(forms.Form):
    address = UnrevealedField(
        label=_("Address"),
        widget=forms.TextInput(
            attrs={
                "autofocus": True,
                "autocomplete": "username",
                "autocapitalize": "none",
                "spellcheck": "false",
                "maxlength": ADDRESS_OCTETS,
            }
        ),
    )
