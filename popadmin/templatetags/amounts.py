"""Template filters for sizes and counts; `popadmin.web.amounts` formats them."""

from __future__ import annotations

from django import template

from popadmin.web import amounts

register = template.Library()

register.filter(amounts.size)
register.filter(amounts.size_or_none)
register.filter(amounts.count)
