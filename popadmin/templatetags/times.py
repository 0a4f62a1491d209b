"""Moments as people read them: how long ago or ahead in words, the exact time in the reader's zone on hover."""

from __future__ import annotations

import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _

register = template.Library()

JUST_NOW_SECONDS = 60
WORDS_DAYS = 30  # beyond it a date says more than "2 months"


@register.simple_tag
def moment(at: datetime.datetime | None, nothing: str | None = None) -> SafeString | str:
    """`<time>` with "2 days ago", "in 3 hours" or the date; without a moment `nothing`, else "never"."""
    if at is None:
        return format_html('<span class="nothing">{}</span>', _("never") if nothing is None else nothing)
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact(at), _words(at))


@register.simple_tag
def at(moment: datetime.datetime) -> SafeString:
    """`<time>` with date and time of day, where one event follows another."""
    local = timezone.localtime(moment)
    day, time = date_format(local, "DATE_FORMAT"), date_format(local, "TIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}, {}</time>', moment.isoformat(), exact(moment), day, time)


@register.filter
def exact(at: datetime.datetime) -> str:
    """To the minute, with the zone: `26/11/2026 07:47 CET`."""
    local = timezone.localtime(at)
    return f"{date_format(local, 'SHORT_DATETIME_FORMAT')} {local.tzname()}"


def _words(at: datetime.datetime) -> str:
    now = timezone.now()
    away = abs(now - at)
    if away.total_seconds() < JUST_NOW_SECONDS:
        return _("just now")
    if away.days >= WORDS_DAYS:
        return date_format(timezone.localtime(at), "DATE_FORMAT")
    if at > now:
        return _("in %(time)s") % {"time": timeuntil(at, now, depth=1)}
    return _("%(time)s ago") % {"time": timesince(at, now, depth=1)}
