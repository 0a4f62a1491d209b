"""A form field for addresses: one per line, or separated by commas and blanks."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from popadmin.web.widgets import PLAIN

ADDRESS = re.compile(r'(?:"[^"\n]*"|[^\s,;])+')  # blanks and commas part addresses, but not what is in quotation marks


class AddressesField(forms.CharField):
    """A list of addresses, one per line or separated by commas."""

    widget = forms.Textarea(attrs={**PLAIN, "rows": 4})

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # addresses, not text
        if isinstance(value, list):
            return value
        return ADDRESS.findall(str(value or ""))

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial) != self.to_python(data)
