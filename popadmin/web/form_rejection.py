"""Show in a form why an action was rejected: beside the field that it names, otherwise above all fields."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.text import capfirst

from mailstore.directory.outcome import Rejected


class RejectionMixin:
    """A view of a form whose action can be rejected: the form then shows why. List it before the class of the view."""

    error_field: str | None = None  # has the error if the rejection names no field of the form

    def perform(self, form: Any) -> HttpResponse:
        """Perform the action of a valid form; return the answer. Rejected if a rule forbids it."""
        raise NotImplementedError

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return self.perform(form)
        except Rejected as refusal:
            add_error(form, refusal, otherwise=self.error_field)
            answer: HttpResponse = self.form_invalid(form)  # type: ignore[attr-defined]  # the view's
            return answer


def add_error(form: forms.Form, refusal: Rejected, *, otherwise: str | None = None) -> None:
    """Add the error to its field. If the form has no such field, add it to `otherwise`, or above all fields."""
    field = refusal.field if refusal.field in form.fields else otherwise
    form.add_error(field if field in form.fields else None, sentence(refusal))


def sentence(refusal: Rejected) -> str:
    """Return the text with a capital letter, unless it begins with an address or a domain."""
    text = str(refusal)
    first = text.partition(" ")[0]
    return text if "@" in first or "." in first else capfirst(text)
