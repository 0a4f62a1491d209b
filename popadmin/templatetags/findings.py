"""The findings' words for templates; `popadmin.findings` has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from mailstore.models import Finding
from popadmin import findings
from popadmin.templatetags.drawings import icon

register = template.Library()


@register.inclusion_tag("parts/findings.html")
def told_findings(found: Iterable[Finding]) -> dict[str, Any]:
    """A notice each, with its remedy; nothing where nothing was found."""
    told = [(finding, capfirst(findings.title(finding)), findings.fact(finding)) for finding in found]
    return {"told": [(*each, findings.remedy(each[0])) for each in told]}


@register.simple_tag
def found_marks(found: list[Finding]) -> SafeString:
    """A line each for a row of a list; put together here, as most of fifty rows have none."""
    if not found:
        return SafeString()
    mark = icon("exclamation-triangle")
    return format_html_join(
        "", '<small class="sub found">{} {}</small>', ((mark, words) for words in findings.kinds(found))
    )
