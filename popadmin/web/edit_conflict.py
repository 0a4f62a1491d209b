"""Forms of rows that others may change at the same time: the second user sees what has changed, and loses nothing.

This also holds at the same instant: under one lock, `InTurn` reads the row, compares it with what was seen, and saves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from mailstore.models import RetentionPolicy
from popadmin.web import audit_text


class SeenForm(forms.Form):
    """`now` holds the row's values by field. What the reader saw travels in `seen`, and is compared with them."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, now: Mapping[str, Any], **kwargs: Any) -> None:
        self.now = dict(now)
        super().__init__(*args, **{"initial": {**self.now, "seen": _written(self.now)}, **kwargs})

    def clean(self) -> dict[str, Any]:
        """Report one error with everything that is new; if it is sent again, the form is accepted."""
        news = list(self._news())
        if news:
            self.add_error(
                None,
                _("Somebody has changed this while you had it open: %(news)s. Check it, then save again.")
                % {"news": "; ".join(news)},
            )
            self.data = {name: self.data[name] for name in self.data} | {"seen": _written(self.now)}
        return self.cleaned_data

    def changes(self) -> dict[str, Any]:
        """Return the fields that the reader has changed, with their new values."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name != "seen"}

    def _news(self) -> Iterator[str]:
        seen = _read(self.cleaned_data.get("seen", ""))
        now = _read(_written(self.now))
        for name in self.fields:
            if name in seen and name in now and seen[name] != now[name]:
                yield audit_text.change(name, seen[name], now[name])


class InTurn:
    """A view with such a form. List it before the class of the view; a missing row is reported first, as usual."""

    def turn(self) -> AbstractContextManager[None]:
        """Return one of `mailstore.directory.row_locks`, for the row of the form."""
        raise NotImplementedError

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with self.turn():
            answer: HttpResponse = super().post(request, *args, **kwargs)  # type: ignore[misc]  # the view's
        return answer


def _written(values: Mapping[str, Any]) -> str:
    return json.dumps(values, default=str)


def _read(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def mark(values: Mapping[str, Any]) -> str:
    """Return the same token for the same values; of a row its text counts, of a policy also when it was saved."""
    return hashlib.sha256(json.dumps(values, default=_words, sort_keys=True).encode()).hexdigest()


def _words(value: Any) -> str:
    """Return the text of a value; a policy that was saved again has another one."""
    return f"{value} {value.saved_at}" if isinstance(value, RetentionPolicy) else str(value)
