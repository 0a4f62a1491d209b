"""The audit's words for templates; `popadmin.web.audit_text` has them."""

from __future__ import annotations

from collections.abc import Iterator

from django import template

from mailstore.models import AuditEntry
from popadmin.web import audit_text

register = template.Library()


@register.filter
def audit_verb(entry: AuditEntry) -> str:
    """What was done."""
    return audit_text.verb(entry)


@register.filter
def audit_details(entry: AuditEntry) -> Iterator[str]:
    """What changed, a text each."""
    return audit_text.details(entry)
