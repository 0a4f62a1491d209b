"""The findings' words for templates; `popadmin.findings` has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.text import capfirst

from mailstore.models import Finding
from popadmin import findings

register = template.Library()


@register.inclusion_tag("parts/findings.html")
def told_findings(found: Iterable[Finding]) -> dict[str, Any]:
    """A notice each, with its remedy; nothing where nothing was found."""
    told = [(finding, capfirst(findings.title(finding)), findings.fact(finding)) for finding in found]
    return {"told": [(*each, findings.remedy(each[0])) for each in told]}
