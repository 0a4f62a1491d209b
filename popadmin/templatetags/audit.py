"""Template filters for audit entries; `popadmin.web.audit_text` has the texts."""

from __future__ import annotations

from collections.abc import Iterator

from django import template

from mailstore.models import AuditEntry
from popadmin.web import audit_text

register = template.Library()


@register.filter
def audit_verb(entry: AuditEntry) -> str:
    """Return what was done, as a phrase."""
    return audit_text.verb(entry)


@register.filter
def audit_details(entry: AuditEntry) -> Iterator[str]:
    """Return the changes, one text each."""
    return audit_text.details(entry)
