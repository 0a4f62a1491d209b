"""The form in which an admin chooses messages to restore, by date or number, without seeing their content."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext_lazy as _

from mailstore.messages.recovery import Choice

NUMBER_MOST = 10**9


class RestoreByDate(forms.Form):
    """A date, a number, or everything; an empty form is refused."""

    since = forms.DateTimeField(
        label=_("Removed since"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    newest = forms.IntegerField(
        label=_("Only the last removed (number)"),
        required=False,
        min_value=1,
        validators=[MaxValueValidator(NUMBER_MOST)],
    )
    everything = forms.BooleanField(label=_("Everything in recovery"), required=False)
    again = forms.BooleanField(
        label=_("Restore as new messages"),
        required=False,
        help_text=_("With a new UIDL: every mail program treats them as new and fetches them again."),
    )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        named = found.get("since") is not None or found.get("newest") is not None
        if not self.errors and named is bool(found.get("everything")):
            raise forms.ValidationError(_("Choose which messages: a date, a number, or everything."))
        return found

    @property
    def choice(self) -> Choice:
        return Choice(since=self.cleaned_data["since"], newest=self.cleaned_data["newest"])
