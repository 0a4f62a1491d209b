"""Show in a form why an action was rejected: beside the field that it names, otherwise above all fields."""

from __future__ import annotations

from django import forms
from django.utils.text import capfirst

from mailstore.directory.outcome import Rejected


def add_error(form: forms.Form, refusal: Rejected, *, otherwise: str | None = None) -> None:
    """Add the error to its field. If the form has no such field, add it to `otherwise`, or above all fields."""
    field = refusal.field if refusal.field in form.fields else otherwise
    form.add_error(field if field in form.fields else None, sentence(refusal))


def sentence(refusal: Rejected) -> str:
    """Return the text with a capital letter, unless it begins with an address or a domain."""
    text = str(refusal)
    first = text.partition(" ")[0]
    return text if "@" in first or "." in first else capfirst(text)
