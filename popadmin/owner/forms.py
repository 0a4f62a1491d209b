"""The forms of the owner's pages; mailstore.directory and mailstore.messages decide what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from mailstore.directory.devices import NAME_CHARACTERS
from mailstore.directory.fields.mailbox import DEVICE
from mailstore.models import Device
from popadmin.web import table_field
from popadmin.web.device_kind import KINDS
from popadmin.web.device_mode import MODES, STARTS
from popadmin.web.form_fields import Option, OptionField

ALL_DEVICES, SOME_DEVICES = "every", "some"
SAME_UIDL, NEW_UIDL = "old", "again"

_DEVICE_OPTIONS = (
    Option(ALL_DEVICES, _("All devices"), _("Every device gets it, as if it had never been removed.")),
    Option(SOME_DEVICES, _("Only these devices"), _("The other devices do not see it, and it does not wait for them.")),
)
_UIDL_OPTIONS = (
    Option(SAME_UIDL, _("Unchanged"), _("A mail program that has already fetched it does not fetch it again.")),
    Option(NEW_UIDL, _("As a new message"), _("Every mail program treats it as new and fetches it again.")),
)


def _kind_field() -> forms.ChoiceField:
    choices = [(option.value, option.label) for option in KINDS]
    return forms.ChoiceField(choices=choices, required=False, **table_field.label_and_help(DEVICE["kind"]))


class _NameForm(forms.Form):
    name = forms.CharField(
        max_length=NAME_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        **table_field.label_and_help(DEVICE["name"]),
    )


def _may_send_field() -> forms.BooleanField:
    return forms.BooleanField(required=False, **table_field.label_and_help(DEVICE["may_send"]))


class RenameForm(_NameForm):
    """The form that renames a device, and says what it is and whether it may send."""

    kind = _kind_field()
    may_send = _may_send_field()


class ConnectForm(_NameForm):
    """The form that creates a device."""

    kind = _kind_field()
    may_send = _may_send_field()
    mode = OptionField(MODES, **table_field.label_and_help(DEVICE["mode"]), initial=Device.Mode.INDEPENDENT)
    start = OptionField(STARTS, **table_field.label_and_help(DEVICE["start"]), initial="all")

    def clean_kind(self) -> str:
        return self.cleaned_data["kind"] or Device.Kind.OTHER


class ModeForm(forms.Form):
    """The form that changes how a device shares the mailbox: one of `offered`."""

    def __init__(self, *args: Any, offered: Sequence[Option], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mode"] = OptionField(offered, **table_field.label_and_help(DEVICE["mode"]))


class RestoreForm(forms.Form):
    """The form that restores messages. It asks for devices only if there are any beside the main password."""

    whom = OptionField(_DEVICE_OPTIONS, label=_("For"), initial=ALL_DEVICES, required=False)
    devices = forms.MultipleChoiceField(
        label=_("Devices"), required=False, widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"})
    )
    uidl = OptionField(_UIDL_OPTIONS, label=_("How to restore it"), initial=SAME_UIDL)

    def __init__(self, *args: Any, devices: Sequence[Device], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(devices) < 2:
            del self.fields["whom"], self.fields["devices"]
        else:
            self.fields["devices"].choices = [  # type: ignore[attr-defined]  # of a choice field
                (device.name, _("Main password") if device.main else device.name) for device in devices
            ]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("whom") == SOME_DEVICES and not values.get("devices"):
            self.add_error("devices", _("Choose at least one device."))
        return values

    @property
    def device_names(self) -> list[str] | None:
        """Return the names of the devices that get the messages; None for all devices."""
        return self.cleaned_data["devices"] if self.cleaned_data.get("whom") == SOME_DEVICES else None

    @property
    def as_new(self) -> bool:
        """Return whether the messages get new UIDLs, so that every mail program fetches them again."""
        return bool(self.cleaned_data["uidl"] == NEW_UIDL)
