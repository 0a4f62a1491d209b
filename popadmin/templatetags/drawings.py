"""Icons and the bar of a mailbox as SVG, drawn on the server. No script, no inline style."""

from __future__ import annotations

from typing import Any

from django import template

from mailstore.messages.mailbox_usage import Split
from popadmin.web.form_renderer import wrong_fields
from popadmin.web.icons import icon
from popadmin.web.usage_share import share_percent

register = template.Library()

register.simple_tag(icon)
register.simple_tag(wrong_fields)


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
