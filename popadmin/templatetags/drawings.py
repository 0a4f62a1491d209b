"""Icons, quota bars and charts as SVG, drawn on the server. No script, no inline style."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, Protocol

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from mailstore.messages.mailbox_usage import Split
from popadmin.web.formats import count, size
from popadmin.web.icons import icon

register = template.Library()

LEVELS = ((95, "full"), (75, "high"), (0, "low"))  # percent from which a bar has this colour
QUOTA_BAR = (
    '<span class="quota"><svg class="bar bar-{level}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"'
    ' focusable="false"><rect class="bar-track" width="100" height="8"></rect><rect class="bar-fill" width="{width}"'
    ' height="8"></rect></svg> <span class="percent">{percent}&nbsp;%</span> <small>{octets} / {quota}</small></span>'
)
CHART_HEIGHT = 48
BAR_WIDTH = 7
BAR_STEP = 10  # a bar and the gap after it
DAY_BARS = (
    f'<svg class="chart" viewBox="0 0 {{width}} {CHART_HEIGHT}" preserveAspectRatio="none" role="img"'
    ' aria-label="{label_text}">{bars}</svg>'
)
DAY_BAR = f'<rect x="{{}}" y="{{}}" width="{BAR_WIDTH}" height="{{}}"><title>{{}}: {{}}</title></rect>'


class Day(Protocol):
    """The counts of one day, each an attribute of its own."""

    @property
    def date(self) -> datetime.date: ...


register.simple_tag(icon)


@register.simple_tag
def quota_bar(octets: int, quota_octets: int | None) -> SafeString:
    """Return used and allotted as numbers and as a bar, which ends at 100 %.

    Python builds it: a template for each row of a list would take half of the page's time.
    """
    percent = share_percent(octets, quota_octets)
    if percent is None or quota_octets is None:
        return format_html('<span class="quota"><small>{}, {}</small></span>', size(octets), gettext("no limit"))
    return format_html(
        QUOTA_BAR,
        level=next(name for least, name in LEVELS if percent >= least),
        width=min(percent, 100),
        percent=count(percent),
        octets=size(octets),
        quota=size(quota_octets),
    )


@register.inclusion_tag("partials/split_bar.html")
def split_bar(split: Split, quota_octets: int | None) -> dict[str, Any]:
    """Show the parts of the used storage against the quota; without a quota, against their total."""
    used = split.waiting.octets + split.kept.octets
    whole = max(quota_octets or 0, used, 1)
    percent = share_percent(used, quota_octets)
    return {
        "split": split,
        "percent": percent,
        "waiting_width": split.waiting.octets * 100 // whole,
        "used_width": used * 100 // whole,
        "level": next(name for least, name in LEVELS if (percent or 0) >= least),
    }


@register.simple_tag
def day_bars(days: Sequence[Day], figure: str, label: str) -> SafeString:
    """Return one bar per day. The highest fills the height, and a count of one is still visible.

    Python builds it: the overview has ninety bars.
    """
    counts = [int(getattr(day, figure)) for day in days]
    most = max(counts, default=0)
    bars = format_html_join(
        "", DAY_BAR, (_day_bar(number, day, counts[number], most) for number, day in enumerate(days))
    )
    label_text = gettext("%(label)s: %(total)s in %(days)s days") % {
        "label": label, "total": count(sum(counts)), "days": len(days)
    }  # fmt: skip
    return format_html(DAY_BARS, width=len(days) * BAR_STEP - (BAR_STEP - BAR_WIDTH), label_text=label_text, bars=bars)


def _day_bar(number: int, day: Day, counted: int, most: int) -> tuple[int | str, ...]:
    height = -(-counted * CHART_HEIGHT // most) if most else 0
    date_text = date_format(day.date, "SHORT_DATE_FORMAT")
    return number * BAR_STEP, CHART_HEIGHT - height, height, date_text, count(counted)


def share_percent(octets: int, quota_octets: int | None) -> int | None:
    """Return whole percents, rounded down, so that 100 appears only at the quota; None without a quota."""
    if quota_octets is None:
        return None
    return octets * 100 // quota_octets if quota_octets else 100
