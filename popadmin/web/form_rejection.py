"""What the store refuses, as a form tells it: beside the field that is to blame, else above all."""

from __future__ import annotations

from django import forms
from django.utils.text import capfirst

from mailstore.directory.outcome import Rejected


def beside(form: forms.Form, refusal: Rejected, *, otherwise: str | None = None) -> None:
    """Tell it beside its field; beside `otherwise`, or above all, where it names none that the form has."""
    field = refusal.field if refusal.field in form.fields else otherwise
    form.add_error(field if field in form.fields else None, sentence(refusal))


def sentence(refusal: Rejected) -> str:
    """It begins with a capital letter, unless with an address or a domain, which are told as they are."""
    text = str(refusal)
    first = text.partition(" ")[0]
    return text if "@" in first or "." in first else capfirst(text)
