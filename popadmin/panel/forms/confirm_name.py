"""Forms with a typed name: to confirm what cannot be undone, and to accept a name that looks like another one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory.look_alikes import LookAlike
from mailstore.directory.outcome import Rejected
from mailstore.policy.addresses import BadAddress, normal_address, normal_domain
from popadmin.web.form_fields import PLAIN

NAME_CHARACTERS = 320


class ConfirmName(forms.Form):
    """The user must type the name of the domain or mailbox, in any spelling, to confirm its removal."""

    name = forms.CharField(max_length=NAME_CHARACTERS, widget=forms.TextInput(attrs=PLAIN))

    def __init__(self, *args: Any, wanted: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wanted = wanted
        self.fields["name"].label = _("Type %(name)s to confirm") % {"name": wanted}

    def clean_name(self) -> str:
        value: str = self.cleaned_data["name"].strip()
        try:
            name = normal_address(value) if "@" in value else normal_domain(value)
        except BadAddress:
            name = ""
        if name != self._wanted:
            raise ValidationError(_("This is not %(name)s.") % {"name": self._wanted}, "name")
        return name


class LookAlikeForm(forms.Form):
    """A form for a new name. It offers a box once the directory has refused the name as a look-alike."""

    look_alike = forms.BooleanField(
        label=gettext_lazy("I want this name although it looks like another one"),
        required=False,
        widget=forms.HiddenInput,
    )

    def offer_look_alike(self, refusal: Rejected) -> None:
        """Offer the box if the name was refused as a look-alike."""
        if isinstance(refusal, LookAlike):
            self.fields["look_alike"].widget = forms.CheckboxInput()
