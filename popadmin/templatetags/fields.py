"""A form's field as the pages show it: label, input, help and errors, tied together for screen readers."""

from __future__ import annotations

from typing import Any

from django import template
from django.forms import BoundField

register = template.Library()


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    css = "form-control is-invalid" if bound.errors else "form-control"
    return {"field": bound, "input": bound.as_widget(attrs={"class": css})}
