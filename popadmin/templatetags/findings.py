"""Template tags for findings; `popadmin.web.finding_text` has the texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from mailstore.models import Finding
from popadmin.templatetags.drawings import icon
from popadmin.web import finding_text

register = template.Library()


@register.inclusion_tag("parts/findings.html")
def finding_notices(found: Iterable[Finding]) -> dict[str, Any]:
    """Show one notice per finding, with its remedy."""
    notices = [(finding, capfirst(finding_text.title(finding)), finding_text.fact(finding)) for finding in found]
    return {"notices": [(*each, finding_text.remedy(each[0])) for each in notices]}


@register.simple_tag
def found_marks(found: list[Finding]) -> SafeString:
    """Return one line per finding for a row of a list. Built in Python, as most rows have none."""
    if not found:
        return SafeString()
    mark = icon("exclamation-triangle")
    return format_html_join(
        "", '<small class="sub found">{} {}</small>', ((mark, words) for words in finding_text.kinds(found))
    )
