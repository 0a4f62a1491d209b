"""Inputs as the pages show them: fields with label, help and errors, radio buttons, the checkbox of a row."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import Model
from django.forms import BoundField, CheckboxInput, Select
from django.utils.html import format_html
from django.utils.safestring import SafeString

from popadmin.lists.selection import Choice

register = template.Library()

CHECKBOX = (
    '<label class="hit"><input type="hidden" name="shown" value="{key}"><input type="checkbox" '
    'class="form-check-input" name="ticked" value="{key}" aria-label="{label} {row}"{checked}></label>'
)


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """Show a field with its label, help and errors, linked for screen readers."""
    widget = bound.field.widget
    is_box = isinstance(widget, CheckboxInput)
    css = "form-check-input" if is_box else "form-select" if isinstance(widget, Select) else "form-control"
    attrs: dict[str, str | bool] = {"class": css, **_focus(bound)}
    return {"field": bound, "input": bound.as_widget(attrs=attrs), "is_box": is_box}


@register.inclusion_tag("parts/options.html")
def options(bound: BoundField) -> dict[str, Any]:
    """Show an `OptionField`: one radio button per option, each with its explanation."""
    return {"field": bound, "options": bound.field.options, "chosen": bound.value()}  # type: ignore[attr-defined]  # of OptionField


@register.filter
def has(choice: Choice, key: int) -> bool:
    """Return whether the row with this key is selected."""
    return choice.has(key)


@register.simple_tag
def tick(row: Model, choice: Choice, label: str) -> SafeString:
    """Return the checkbox that selects a row of a list.

    A hidden field says that the row was shown: so a row that was unticked differs from one that was not on the page.
    """
    checked = SafeString(" checked") if choice.has(row.pk) else ""
    return format_html(CHECKBOX, key=row.pk, label=label, row=row, checked=checked)


def _focus(bound: BoundField) -> dict[str, bool]:
    """Return the attribute that focuses the first field with an error, so that users see or hear what is wrong."""
    first_wrong = next((name for name in bound.form.fields if name in bound.form.errors), None)
    return {} if first_wrong is None else {"autofocus": bound.name == first_wrong}
