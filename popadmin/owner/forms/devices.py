"""The forms of the pages of devices; mailstore.directory.devices decides what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from mailstore.directory.devices import NAME_CHARACTERS
from mailstore.models import Device
from popadmin.web.device_mode import MODES, STARTS
from popadmin.web.option_field import Option, OptionField


class _Name(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("As you call it yourself: “Phone”, “Office PC”."),
    )


class Rename(_Name):
    """Another name for a device that is there."""


class Connect(_Name):
    """A device that is to be made."""

    mode = OptionField(MODES, label=_("How it shares the mailbox"), initial=Device.Mode.INDEPENDENT)
    start = OptionField(STARTS, label=_("What it begins with"), initial="all")


class Mode(forms.Form):
    """How a device that is there shares the mailbox from now on: one of `offered`."""

    def __init__(self, *args: Any, offered: Sequence[Option], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mode"] = OptionField(offered, label=_("How it shares the mailbox"))
