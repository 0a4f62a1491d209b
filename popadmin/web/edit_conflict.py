"""Forms of rows that others may change at the same time: the second user sees what has changed, and loses nothing.

This also holds if both save at the same instant: under one lock, `RowLockMixin` reads the row, compares it with what
the user saw, and saves.
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
from popadmin.web.formats import facts, fill


class EditForm(forms.Form):
    """A form of an existing row. `now` holds the values of the row by field.

    The values that the user saw travel in the hidden field `seen`, and are compared with `now`.
    """

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, now: Mapping[str, Any], **kwargs: Any) -> None:
        self.now = dict(now)
        super().__init__(*args, **{"initial": {**self.now, "seen": _dump(self.now)}, **kwargs})

    def clean(self) -> dict[str, Any]:
        """Report what others have changed, in one error. If the user sends the form again, it is accepted."""
        conflicts = list(self._conflicts())
        if conflicts:
            self.add_error(
                None,
                fill(
                    _("Somebody has changed this while you had it open: %(changes)s. Check it, then save again."),
                    changes=facts(conflicts),
                ),
            )
            self.data = {name: self.data[name] for name in self.data} | {"seen": _dump(self.now)}
        return self.cleaned_data

    def changes(self) -> dict[str, Any]:
        """Return the fields that the user has changed, with their new values."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name != "seen"}

    def _conflicts(self) -> Iterator[str]:
        seen = _load(self.cleaned_data.get("seen", ""))
        now = _load(_dump(self.now))
        for name in self.fields:
            if name in seen and name in now and seen[name] != now[name]:
                yield audit_text.change(name, seen[name], now[name])


class RowLockMixin:
    """A view with such a form. List it before the class of the view. A row that is missing is reported first."""

    def row_lock(self) -> AbstractContextManager[None]:
        """Return the lock of the row of the form, one of `mailstore.directory.row_locks`."""
        raise NotImplementedError

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with self.row_lock():
            response: HttpResponse = super().post(request, *args, **kwargs)  # type: ignore[misc]  # the view's
        return response


def _dump(values: Mapping[str, Any]) -> str:
    return json.dumps(values, default=str)


def _load(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def preview_token(values: Mapping[str, Any]) -> str:
    """Return a token that ties a save to its preview: the preview carries it, and the save must send it back.

    The same values have the same token. Of a row its text counts, of a policy also when it was saved.
    """
    return hashlib.sha256(json.dumps(values, default=_text, sort_keys=True).encode()).hexdigest()


def _text(value: Any) -> str:
    """Return the text of a value. A policy has another text after each save."""
    return f"{value} {value.saved_at}" if isinstance(value, RetentionPolicy) else str(value)
