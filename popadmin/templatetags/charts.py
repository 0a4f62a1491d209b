"""Charts of days as SVG, drawn on the server: bars with widths in percent, and words that keep their size."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Protocol

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from popadmin.web.formats import count, short_date, weekday_date

register = template.Library()

HEIGHT, GROUND, BAR_MOST = 88, 70, 52  # pixels: of the drawing, of the line below the bars, of the highest bar
BAR_SHARE = 0.76  # of the width that a day has
EDGE_PERCENT = 20  # nearer to an edge, the words of the peak end or begin at the bar

CHART = (
    '<svg class="chart{css}" height="{height}" role="img" aria-label="{label}">{bars}'
    '<line x1="0" x2="100%" y1="{ground}" y2="{ground}"/>{peak}<text x="0" y="{foot}">{first}</text>'
    '<text x="100%" y="{foot}" text-anchor="end">{today}</text></svg>'
)
BAR = '<rect{} x="{}%" width="{}%" y="{}" height="{}" rx="1"/>'
PEAK = '<text class="said" x="{}%" y="{}" text-anchor="{}">{}</text>'


class Day(Protocol):
    """The counts of one day, each an attribute of its own."""

    @property
    def date(self) -> datetime.date: ...


@register.simple_tag
def day_chart(days: Sequence[Day], figure: str, noun: str, css: str = "", peak_note: str = "") -> SafeString:
    """Return one bar a day, the oldest first. The last day is today; it and the highest are in full colour.

    Words beside the chart say both, `peak_note` more of the highest, and `noun` what is counted, in the label for
    screen readers.
    """
    counts = [int(getattr(day, figure)) for day in days]
    most = max(counts)
    peak = counts.index(most) if most and counts[-1] != most else None  # today has its words on the axis
    peak_text = "" if peak is None else _peak_text(most, days[peak].date, peak_note)
    today = _("%(count)s today, so far") % {"count": count(counts[-1])}
    return format_html(
        CHART,
        css=f" {css}" if css else "",
        height=HEIGHT,
        label=_label(noun, count(sum(counts)), peak_text, today),
        bars=_bars(counts, {peak, len(counts) - 1}),
        ground=GROUND + 0.5,  # a line of one pixel lies between two
        peak=_peak(peak, len(counts), peak_text, _top(most, most)),
        foot=HEIGHT - 3,
        first=short_date(days[0].date),
        today=today,
    )


@register.simple_tag
def share_bar(amount: int, most: int) -> SafeString:
    """Return a bar that compares rows of a table: the row with the most fills it."""
    bar = '<svg class="bar-inline" aria-hidden="true"><rect class="use" width="{}%" height="6" rx="3"/></svg>'
    return format_html(bar, round(amount * 100 / most) if most else 0)


def _bars(counts: Sequence[int], strong: set[int | None]) -> SafeString:
    step, most = 100 / len(counts), max(counts)
    return format_html_join(
        "",
        BAR,
        (
            (
                SafeString(' class="top"') if number in strong else "",
                _percent(number * step + step * (1 - BAR_SHARE) / 2),
                _percent(step * BAR_SHARE),
                _top(counted, most),
                GROUND - _top(counted, most),
            )
            for number, counted in enumerate(counts)
        ),
    )


def _top(counted: int, most: int) -> int:
    """Return where a bar begins; a count of one is still visible."""
    return GROUND - (-(-counted * BAR_MOST // most) if most else 0)


def _peak(peak: int | None, number: int, text: str, top: int) -> SafeString:
    if peak is None:
        return SafeString()
    middle = (peak + 0.5) * 100 / number
    anchor = "start" if middle < EDGE_PERCENT else "end" if middle > 100 - EDGE_PERCENT else "middle"
    half = {"start": -1, "middle": 0, "end": 1}[anchor] * BAR_SHARE * 50 / number
    return format_html(PEAK, _percent(middle + half), top - 5, anchor, text)


def _peak_text(most: int, date: datetime.date, note: str) -> str:
    text = _("%(count)s on %(day)s") % {"count": count(most), "day": weekday_date(date)}
    return f"{text}, {note}" if note else text


def _label(noun: str, total: str, peak_text: str, today: str) -> str:
    parts = [_("%(total)s %(noun)s in 30 days") % {"total": total, "noun": noun}]
    if peak_text:
        parts.append(_("at most %(peak)s") % {"peak": peak_text})
    return ", ".join([*parts, today])


def _percent(share: float) -> str:
    """Return a number as SVG reads it in every language."""
    return f"{share:.2f}"
