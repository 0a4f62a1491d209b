"""The audit's words for templates; `popadmin.told` has them."""

from __future__ import annotations

from collections.abc import Iterator

from django import template

from mailstore.models import AuditEntry
from popadmin import told

register = template.Library()


@register.filter
def told_verb(entry: AuditEntry) -> str:
    """What was done."""
    return told.verb(entry)


@register.filter
def told_details(entry: AuditEntry) -> Iterator[str]:
    """What changed, a text each."""
    return told.details(entry)
