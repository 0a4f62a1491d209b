"""What is drawn on a page as SVG by the server: icons, quota bars, charts. No script, no inline style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from mailstore.store.usage import Split
from popadmin.panel.figures import Day
from popadmin.templatetags.amounts import count, size

register = template.Library()

SPRITE = "vendor/bootstrap-icons/sprite.svg"
LEVELS = ((95, "full"), (75, "high"), (0, "low"))  # percent from which a bar has this colour
QUOTA_BAR = (
    '<span class="quota"><svg class="bar bar-{level}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"'
    ' focusable="false"><rect class="bar-track" width="100" height="8"></rect><rect class="bar-fill" width="{width}"'
    ' height="8"></rect></svg> <span class="percent">{percent}&nbsp;%</span> <small>{octets} / {quota}</small></span>'
)
CHART_HEIGHT = 48
BAR_WIDTH = 7
BAR_STEP = 10  # a bar and the gap after it


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the sprite, hidden from screen readers: the text beside it says the same."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>', static(SPRITE), name
    )


@register.simple_tag
def quota_bar(octets: int, quota_octets: int | None) -> SafeString:
    """Used of allotted, in figures and as a bar that stops at its end when more is used.

    Put together here: a template for each row of a list would take half of the page's time.
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


@register.inclusion_tag("parts/split_bar.html")
def split_bar(split: Split, quota_octets: int | None) -> dict[str, Any]:
    """What fills a mailbox, part by part, against its quota; without a quota against what is there."""
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


@register.inclusion_tag("parts/day_bars.html")
def day_bars(days: Sequence[Day], figure: str, label: str) -> dict[str, Any]:
    """A bar a day for one of its figures; the highest day fills the height, a day with any shows at least a sliver."""
    counts = [int(getattr(day, figure)) for day in days]
    most = max(counts, default=0)
    bars = []
    for number, (day, counted) in enumerate(zip(days, counts, strict=True)):
        height = -(-counted * CHART_HEIGHT // most) if most else 0
        place = {"x": number * BAR_STEP, "y": CHART_HEIGHT - height, "height": height}
        bars.append({"date": day.date, "count": counted, **place})
    return {
        "bars": bars,
        "bar_width": BAR_WIDTH,
        "width": len(days) * BAR_STEP - (BAR_STEP - BAR_WIDTH),
        "height": CHART_HEIGHT,
        "total": sum(counts),
        "days": len(days),
        "label": label,
    }


def share_percent(octets: int, quota_octets: int | None) -> int | None:
    """Whole percents, rounded down, so that 100 is said only when the quota is reached; None without a quota."""
    if quota_octets is None:
        return None
    return octets * 100 // quota_octets if quota_octets else 100
