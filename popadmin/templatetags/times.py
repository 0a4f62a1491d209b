"""Template tags for moments; `popadmin.web.times` formats them."""

from __future__ import annotations

from django import template

from popadmin.web import times

register = template.Library()

register.simple_tag(times.moment)
register.simple_tag(times.at)
register.simple_tag(times.day)
register.simple_tag(times.lasted)
register.filter(times.exact)
