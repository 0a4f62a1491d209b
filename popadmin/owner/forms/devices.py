"""The forms of the device pages; mailstore.directory.devices decides what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from mailstore.directory.devices import NAME_CHARACTERS
from mailstore.directory.fields.mailbox import DEVICE
from mailstore.models import Device
from popadmin.web import table_field
from popadmin.web.device_mode import MODES, STARTS
from popadmin.web.option_field import Option, OptionField


class _Name(forms.Form):
    name = forms.CharField(
        max_length=NAME_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        **table_field.words(DEVICE["name"]),
    )


class Rename(_Name):
    """The form that renames a device."""


class Connect(_Name):
    """The form that creates a device."""

    mode = OptionField(MODES, **table_field.words(DEVICE["mode"]), initial=Device.Mode.INDEPENDENT)
    start = OptionField(STARTS, **table_field.words(DEVICE["start"]), initial="all")


class Mode(forms.Form):
    """The form that changes how a device shares the mailbox: one of `offered`."""

    def __init__(self, *args: Any, offered: Sequence[Option], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mode"] = OptionField(offered, **table_field.words(DEVICE["mode"]))
