"""Template filters and tags for values; `popadmin.web.formats` and `popadmin.web.audit_text` write them."""

from __future__ import annotations

from django import template

from popadmin.web import audit_text, formats

register = template.Library()

register.filter(formats.size)
register.filter(formats.size_or_none)
register.filter(formats.count)
register.filter(formats.percent)
register.filter(formats.exact)
register.filter(formats.short_date)
register.filter(formats.weekday_date)
register.filter(formats.day_and_month)
register.filter(formats.long_date)
register.simple_tag(formats.used_of)
register.simple_tag(formats.moment)
register.simple_tag(formats.ago)
register.simple_tag(formats.at)
register.simple_tag(formats.day)
register.simple_tag(formats.lasted)
register.filter("audit_verb", audit_text.verb)
register.filter("audit_details", audit_text.details)
