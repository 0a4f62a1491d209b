"""The form of an owner's forward; the store checks the addresses."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from popadmin.web.address_field import AddressesField
from popadmin.web.edit_conflict import SeenForm


class Forward(SeenForm):
    targets = AddressesField(
        label=_("Forward to"), required=False, help_text=_("One address per line. Leave empty to forward nothing.")
    )
    keep_copy = forms.BooleanField(label=_("Keep a copy in the mailbox"), required=False)
