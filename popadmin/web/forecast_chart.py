"""The chart of a forecast: a bar for each day, the highest said in words. SVG with widths in percent, so words fit."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mailstore.policy.retention import HORIZON_DAYS
from popadmin.web.formats import count, day_and_month, weekday_date

DAYS = HORIZON_DAYS + 1  # today too
TOP, FOOT = 18, 62  # of the bars, in pixels; the words of the highest stand above, the dates below
GAP_PERCENT = 0.7
CHART = (
    '<svg class="chart" height="80" aria-hidden="true">{bars}<line x1="0" x2="100%" y1="62.5" y2="62.5"></line>'
    '<text class="said" x="{place}%" y="13" text-anchor="{anchor}">{said}</text>'
    '<text x="0" y="77">{first}</text><text x="100%" y="77" text-anchor="end">{last}</text></svg>'
)
BAR = '<rect class="{}" x="{}%" width="{}%" y="{}" height="{}" rx="1"></rect>'


def chart(messages: Mapping[datetime.date, int], today: datetime.date) -> SafeString:
    """Return the chart of the messages of each day, from today on. There is at least one message."""
    days = [today + datetime.timedelta(days=number) for number in range(DAYS)]
    counts = [messages.get(day, 0) for day in days]
    most = max(counts)
    highest = counts.index(most)
    step = 100 / DAYS
    bars = (
        ("top" if number == highest else "", _percent(number * step), _percent(step - GAP_PERCENT), *_span(each, most))
        for number, each in enumerate(counts)
        if each
    )
    place, anchor = _words_place(highest, step)
    return format_html(
        CHART,
        bars=format_html_join("", BAR, bars),
        place=_percent(place),
        anchor=anchor,
        said=_("%(count)s on %(day)s") % {"count": count(most), "day": weekday_date(days[highest])},
        first=day_and_month(days[0]),
        last=day_and_month(days[-1]),
    )


def _span(messages: int, most: int) -> tuple[int, int]:
    """Return the top and the height of a bar; that of one message is still seen."""
    height = max(2, round((FOOT - TOP) * messages / most))
    return FOOT - height, height


def _words_place(number: int, step: float) -> tuple[float, str]:
    """Return where the words of a bar stand, so that they do not leave the chart."""
    if number < DAYS // 3:
        return number * step, "start"
    if number >= DAYS - DAYS // 3:
        return (number + 1) * step - GAP_PERCENT, "end"
    return (number + 0.5) * step, "middle"


def _percent(share: float) -> str:
    return f"{share:.2f}"
