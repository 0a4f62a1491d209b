"""Icons and quota bars as SVG, drawn on the server. No script, no inline style."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
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
def split_bar(split: Split, quota_octets: int | None, *, headed: bool = False) -> dict[str, Any]:
    """Show the parts of the used storage against the quota; without a quota, against their total.

    Above the quota the bar is full, and a gap in it marks the quota. `headed`: the heading has the percents already.
    """
    used = split.waiting.octets + split.kept.octets
    whole = max(quota_octets or 0, used, 1)
    above = quota_octets is not None and used > quota_octets
    return {
        "split": split,
        "percent": None if headed else share_percent(used, quota_octets),
        "waiting_width": _percent_of(split.waiting.octets, whole),
        "used_width": _percent_of(used, whole),
        "quota_octets": quota_octets,
        "quota_place": _percent_of(quota_octets or 0, whole) if above else "",
    }


def _percent_of(octets: int, whole: int) -> str:
    """Return percents to a tenth, with a point in every language, as SVG wants them."""
    return f"{octets * 1000 // whole / 10:g}%"


def share_percent(octets: int, quota_octets: int | None) -> int | None:
    """Return whole percents, rounded down, so that 100 appears only at the quota; None without a quota."""
    if quota_octets is None:
        return None
    return octets * 100 // quota_octets if quota_octets else 100
