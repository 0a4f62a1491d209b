"""Template filters and tags for values; `popadmin.web.formats` and `popadmin.web.audit_text` write them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from email.utils import parseaddr

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.models import AuditEntry
from popadmin.web import audit_text, formats

register = template.Library()

register.filter(formats.size)
register.filter(formats.size_or_none)
register.filter(formats.count)
register.filter(formats.percent)
register.simple_tag(formats.used_of)
register.simple_tag(formats.moment)
register.simple_tag(formats.ago)
register.simple_tag(formats.at)
register.simple_tag(formats.day)
register.simple_tag(formats.lasted)
LINES_SHOWN = 2  # of the details of an audit entry; the rest is folded


@register.filter
def calendar_day(date: datetime.date) -> SafeString:
    """Return `<time>` of a whole day: `12 Nov`, of another year `2025-11-12`."""
    return formats.calendar_day(date, formats.short_date(date))


@register.simple_tag
def audit_lines(entry: AuditEntry) -> SafeString:
    """Return the details of an entry, one per line: the first ones, then the rest folded."""
    lines = list(audit_text.details(entry))
    shown = _lines(lines[:LINES_SHOWN])
    if len(lines) <= LINES_SHOWN:
        return shown
    more = len(lines) - LINES_SHOWN
    label = ngettext("%(count)s more", "%(count)s more", more) % {"count": formats.count(more)}
    return format_html("{}<details><summary>{}</summary>{}</details>", shown, label, _lines(lines[LINES_SHOWN:]))


def _lines(lines: Sequence[str]) -> SafeString:
    return format_html_join("", "<div>{}</div>", ((line,) for line in lines))


@register.filter
def colon(label: str) -> str:
    """Return a label with a colon, as its language writes it."""
    return _("%(label)s:") % {"label": label}


@register.filter
def sender_name(sender: str) -> str:
    """Return the name of a sender, else the address: of `Ann <ann@example.org>`, Ann."""
    name, address = parseaddr(sender)
    return name or address or sender


register.filter("audit_verb", audit_text.verb)
register.filter("audit_details", audit_text.details)
