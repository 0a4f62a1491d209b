"""What is drawn on a page as SVG by the server: icons, quota bars, charts. No script, no inline style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from popadmin.panel.figures import Day

register = template.Library()

SPRITE = "vendor/bootstrap-icons/sprite.svg"
LEVELS = ((95, "full"), (75, "high"), (0, "low"))  # percent from which a bar has this colour
CHART_HEIGHT = 48
BAR_WIDTH = 7
BAR_STEP = 10  # a bar and the gap after it


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the sprite, hidden from screen readers: the text beside it says the same."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>', static(SPRITE), name
    )


@register.inclusion_tag("parts/quota_bar.html")
def quota_bar(octets: int, quota_octets: int | None) -> dict[str, Any]:
    """Used of allotted, in figures and as a bar that stops at its end when more is used."""
    percent = share_percent(octets, quota_octets)
    return {
        "octets": octets,
        "quota_octets": quota_octets,
        "percent": percent,
        "width": min(percent or 0, 100),
        "level": next(name for least, name in LEVELS if (percent or 0) >= least),
    }


@register.inclusion_tag("parts/day_bars.html")
def day_bars(days: Sequence[Day]) -> dict[str, Any]:
    """A bar a day; the highest day fills the height, a day with any mail shows at least a sliver."""
    most = max((day.deliveries for day in days), default=0)
    bars = []
    for number, day in enumerate(days):
        height = -(-day.deliveries * CHART_HEIGHT // most) if most else 0
        bars.append({"day": day, "x": number * BAR_STEP, "y": CHART_HEIGHT - height, "height": height})
    return {
        "bars": bars,
        "bar_width": BAR_WIDTH,
        "width": len(days) * BAR_STEP - (BAR_STEP - BAR_WIDTH),
        "height": CHART_HEIGHT,
        "total": sum(day.deliveries for day in days),
        "days": len(days),
    }


def share_percent(octets: int, quota_octets: int | None) -> int | None:
    """Whole percents, rounded down, so that 100 is said only when the quota is reached; None without a quota."""
    if quota_octets is None:
        return None
    return octets * 100 // quota_octets if quota_octets else 100
