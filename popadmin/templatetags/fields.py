"""A form field as the pages show it: label, input, help and errors, linked for screen readers."""

from __future__ import annotations

from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, Select

register = template.Library()


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    widget = bound.field.widget
    is_box = isinstance(widget, CheckboxInput)
    css = "form-check-input" if is_box else "form-select" if isinstance(widget, Select) else "form-control"
    attrs: dict[str, str | bool] = {"class": css, **_focus(bound)}
    return {"field": bound, "input": bound.as_widget(attrs=attrs), "is_box": is_box}


@register.inclusion_tag("parts/options.html")
def options(bound: BoundField) -> dict[str, Any]:
    """Show an `OptionField`: one radio button per option, each with its line."""
    return {"field": bound, "options": bound.field.options, "chosen": bound.value()}  # type: ignore[attr-defined]  # of Explained


def _focus(bound: BoundField) -> dict[str, bool]:
    """Focus the first field that has an error, so that users see or hear what is wrong."""
    faulty = next((name for name in bound.form.fields if name in bound.form.errors), None)
    return {} if faulty is None else {"autofocus": bound.name == faulty}
