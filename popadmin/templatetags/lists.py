"""The checkbox that selects a row of a list."""

from __future__ import annotations

from django import template
from django.db.models import Model
from django.utils.html import format_html
from django.utils.safestring import SafeString

from popadmin.lists.selection import Choice

register = template.Library()

CHECKBOX = (
    '<label class="row-checkbox"><input type="hidden" name="on_page" value="{key}"><input type="checkbox" '
    'class="form-check-input" name="ticked" value="{key}" aria-label="{label} {row}"{checked}></label>'
)


@register.filter
def has(choice: Choice, key: int) -> bool:
    """Return whether the row with this key is selected."""
    return choice.has(key)


@register.simple_tag
def tick(row: Model, choice: Choice, label: str) -> SafeString:
    """Return the checkbox that selects a row of a list.

    A hidden field says that the row was shown: so a row that was unticked differs from one that was not on the page. A
    row is called by its `called`, if a list gave it one.
    """
    checked = SafeString(" checked") if choice.has(row.pk) else ""
    return format_html(CHECKBOX, key=row.pk, label=label, row=getattr(row, "called", row), checked=checked)
