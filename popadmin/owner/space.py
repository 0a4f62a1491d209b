"""The bar of an owner's start page: what waits, what every device has, and what is free, as widths in percent."""

from __future__ import annotations

from dataclasses import dataclass

from mailstore.messages.mailbox_usage import Split
from mailstore.models import Mailbox
from popadmin.web.usage_share import share_level, share_percent

GAP_PERCENT = 0.4  # between the two parts of the bar
LEAST_PERCENT = 0.6  # of a part that is not empty, so that it is seen


@dataclass(frozen=True, slots=True)
class Space:
    """`percent` is None without a quota, and above 100 in a mailbox that is over it; the widths never are.

    The widths are texts as SVG has them, since templates would write a number as the language does.
    """

    percent: int | None
    free_octets: int | None
    waiting_width: str
    kept_x: str
    kept_width: str
    quota_place: str  # empty but in a mailbox that is over its quota

    @property
    def level(self) -> str:
        """Return how the percent is shown."""
        return share_level(self.percent)


def space(mailbox: Mailbox, split: Split) -> Space:
    """Measure against the quota; without one, against all that is stored."""
    used, quota = split.waiting.octets + split.kept.octets, mailbox.quota_octets
    whole = max(quota or 0, used, 1)
    waiting = _width(split.waiting.octets, whole)
    kept_x = waiting + GAP_PERCENT if waiting else 0.0
    return Space(
        percent=share_percent(used, quota),
        free_octets=None if quota is None else max(quota - used, 0),
        waiting_width=f"{waiting:.1f}%",
        kept_x=f"{kept_x:.1f}%",
        quota_place=f"{quota * 100 / whole:.1f}%" if quota is not None and used > quota else "",
        kept_width=f"{max(0.0, min(_width(split.kept.octets, whole), 100 - kept_x)):.1f}%",
    )


def _width(octets: int, whole: int) -> float:
    return max(octets * 100 / whole, LEAST_PERCENT) if octets else 0.0
