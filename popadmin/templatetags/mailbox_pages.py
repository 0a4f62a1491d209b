"""What the pages of one mailbox write: its address, the times and days of its timeline, its usage."""

from __future__ import annotations

import datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from mailstore.directory.fields.mailbox import DEVICE
from mailstore.messages.mailbox_usage import Split
from mailstore.models import Mailbox
from popadmin.templatetags.mailboxes import in_script
from popadmin.web import formats
from popadmin.web.formats import short_date, weekday_date
from popadmin.web.usage_share import share_level, share_percent

register = template.Library()
register.filter(formats.clock)

MODES = DEVICE["mode"].choice_labels


@register.filter
def addr(address: str) -> SafeString:
    """Return an address whose local part stands out."""
    local, at, domain = address.rpartition("@")
    return format_html('<span class="addr"><b>{}</b>{}{}</span>', local, at, domain)


@register.filter
def also_called(mailbox: Mailbox) -> str:
    """Return the address in its own script if that differs, and the name of the owner; empty without both."""
    return " · ".join(filter(None, (in_script(mailbox.user.address), mailbox.user.name)))


@register.simple_tag
def day_heading(date: datetime.date, today: datetime.date) -> SafeString:
    """Return `<time>` of a day: `Today, Mon 30 Nov`; a day of another year as `2025-11-12`."""
    return formats.calendar_day(date, _day_name(date, today))


@register.simple_tag
def split_percent(split: Split, quota_octets: int | None) -> SafeString:
    """Return the used share of the quota in percent, coloured where it matters; empty without a quota."""
    percent = share_percent(split.waiting.octets + split.kept.octets, quota_octets)
    if percent is None:
        return SafeString()
    return format_html(' <span class="num {}">{}</span>', share_level(percent), formats.percent(percent))


@register.filter
def mode_words(mode: str) -> Any:
    return MODES[mode]


def _day_name(date: datetime.date, today: datetime.date) -> str:
    if date.year != today.year:
        return short_date(date)
    ago, day = (today - date).days, weekday_date(date)
    if ago > 1 or ago < 0:
        return capfirst(day)
    near = _("Yesterday, %(day)s") if ago else _("Today, %(day)s")
    return near % {"day": day}
