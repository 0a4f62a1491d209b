"""A form field for a quota, as English and French users write sizes; mailstore.policy.quota has the rules."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from mailstore.directory import address_error
from mailstore.policy.quota import BadSize, SizeFlaw, format_octets, parse_octets

_NO_LIMIT = re.compile(r"aucune?", re.IGNORECASE)  # in English parse_octets knows the word
_WRITTEN = re.compile(r"([0-9]+)([KMGT]B)")


class SizeField(forms.CharField):
    """Octets, or None for no limit: an empty field or the word none. It shows a size that reads back exactly."""

    widget = forms.TextInput(attrs={"placeholder": gettext_lazy("no limit"), "autocomplete": "off"})

    def to_python(self, value: Any) -> int | None:  # type: ignore[override]  # a size, not text
        text = str(value or "").strip()
        if not text or _NO_LIMIT.fullmatch(text):
            return None
        try:
            return parse_octets("".join(text.split()).replace(",", "."))
        except BadSize as error:
            raise ValidationError(_sentence(error), "size") from error

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        text = format_octets(value)
        written = _WRITTEN.fullmatch(text)
        return f"{written[1]} {pgettext('unit', written[2])}" if written else text

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


def _sentence(error: BadSize) -> str:
    """Return the error: both readings of an ambiguous size, otherwise how to write a size."""
    if error.flaw in (SizeFlaw.NO_UNIT, SizeFlaw.ZERO):
        return address_error.size_sentence(error)
    return _("Write a size such as 500 MB or 1.5 GB, or leave it empty.")
