"""What an owner chooses when mail comes back: for which devices, and under which UIDL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from mailstore.models import Device
from popadmin.web.option_field import Option, OptionField

EVERY, SOME = "every", "some"
OLD, AGAIN = "old", "again"

_FOR = (
    Option(EVERY, _("All devices"), _("Each finds it, as if it had never left.")),
    Option(SOME, _("Only these"), _("The others do not see it, and nothing waits for them.")),
)
_AS = (
    Option(OLD, _("As it was"), _("A mail program that remembers having had it does not fetch it a second time.")),
    Option(AGAIN, _("Send again"), _("Each mail program takes it for new and fetches it once more.")),
)


class Restore(forms.Form):
    """Without devices beside the main password nobody is asked for whom."""

    whom = OptionField(_FOR, label=_("For"), initial=EVERY, required=False)
    devices = forms.MultipleChoiceField(
        label=_("Devices"), required=False, widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"})
    )
    uidl = OptionField(_AS, label=_("How it comes back"), initial=OLD)

    def __init__(self, *args: Any, devices: Sequence[Device], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(devices) < 2:
            del self.fields["whom"], self.fields["devices"]
        else:
            self.fields["devices"].choices = [  # type: ignore[attr-defined]  # of a choice field
                (device.name, _("Main password") if device.main else device.name) for device in devices
            ]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("whom") == SOME and not found.get("devices"):
            self.add_error("devices", _("Choose at least one device."))
        return found

    @property
    def names(self) -> list[str] | None:
        """The devices that see it; None for all."""
        return self.cleaned_data["devices"] if self.cleaned_data.get("whom") == SOME else None

    @property
    def again(self) -> bool:
        return bool(self.cleaned_data["uidl"] == AGAIN)
