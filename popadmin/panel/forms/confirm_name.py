"""Names as they are typed: of what is new and may look like another; of what cannot be undone, to be sure."""

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


class TypedName(forms.Form):
    """The name of a domain or a mailbox, in any case and letters, typed by whoever wants it gone."""

    name = forms.CharField(max_length=NAME_CHARACTERS, widget=forms.TextInput(attrs=PLAIN))

    def __init__(self, *args: Any, wanted: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wanted = wanted
        self.fields["name"].label = _("Type %(name)s to confirm") % {"name": wanted}

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"].strip()
        try:
            name = normal_address(typed) if "@" in typed else normal_domain(typed)
        except BadAddress:
            name = ""
        if name != self._wanted:
            raise ValidationError(_("This is not %(name)s.") % {"name": self._wanted}, "name")
        return name


class MayLookAlike(forms.Form):
    """Of a new name. The box is shown once the name was taken for another's."""

    look_alike = forms.BooleanField(
        label=gettext_lazy("I want this name although it looks like another one"),
        required=False,
        widget=forms.HiddenInput,
    )

    def ask_look_alike(self, refusal: Rejected) -> None:
        """Offer the box where that is why the name was refused."""
        if isinstance(refusal, LookAlike):
            self.fields["look_alike"].widget = forms.CheckboxInput()
