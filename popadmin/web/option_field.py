"""A field with few options, each with a line that explains it; `{% options %}` shows radio buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Option:
    """An option; `line` explains its effect."""

    value: str
    label: Promise | str
    line: Promise | str = ""


class OptionField(forms.ChoiceField):
    """A choice of one of `options`."""

    def __init__(self, options: Sequence[Option], **kwargs: Any) -> None:
        self.options = options
        super().__init__(choices=[(option.value, option.label) for option in options], **kwargs)
