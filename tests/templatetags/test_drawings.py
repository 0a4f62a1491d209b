"""Icons, quota bars and charts."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from django.conf import settings

from popadmin.panel.overview_stats import Day
from popadmin.templatetags.drawings import CHART_HEIGHT, day_bars, quota_bar, share_percent

SPRITE = Path(settings.BASE_DIR) / "static/vendor/bootstrap-icons/sprite.svg"
CODE = Path(settings.BASE_DIR) / "popadmin"
TEMPLATES = Path(settings.BASE_DIR) / "templates"


@pytest.mark.parametrize(
    ("octets", "quota_octets", "percent", "width", "level"),
    [
        (0, 100, 0, 0, "low"),
        (74, 100, 74, 74, "low"),
        (75, 100, 75, 75, "high"),
        (94, 100, 94, 94, "high"),
        (95, 100, 95, 95, "full"),
        (130, 100, 130, 100, "full"),
        (0, 0, 100, 100, "full"),
    ],
)
def test_a_quota_bar_ends_at_its_end_and_changes_colour(octets, quota_octets, percent, width, level):
    drawn = quota_bar(octets, quota_octets)
    assert f"bar-{level}" in drawn
    assert f'class="bar-fill" width="{width}"' in drawn
    assert f">{percent}&nbsp;%<" in drawn


def test_where_there_is_no_quota_there_is_no_bar():
    assert "svg" not in quota_bar(9, None)
    assert "9 bytes, no limit" in quota_bar(9, None)


def test_a_hundred_percent_is_said_only_when_they_are_reached():
    assert share_percent(10**12 - 1, 10**12) == 99


def test_the_figures_of_a_quota_are_text_beside_a_bar_that_is_hidden_from_readers():
    html = quota_bar(2**29, 2**30)
    assert 'aria-hidden="true"' in html
    assert "512\N{NO-BREAK SPACE}MB / 1\N{NO-BREAK SPACE}GB" in html
    assert "style=" not in html


def days(*deliveries: int) -> list[Day]:
    return [Day(datetime.date(2026, 1, 1 + number), count, 0, 0) for number, count in enumerate(deliveries)]


def heights(*deliveries: int) -> list[int]:
    """Return the heights of the bars, which all stand on the ground."""
    bars = [bar.attrib for bar in ET.fromstring(day_bars(days(*deliveries), "deliveries", "Mail")).iter("rect")]
    assert all(int(bar["y"]) + int(bar["height"]) == CHART_HEIGHT for bar in bars)
    return [int(bar["height"]) for bar in bars]


def test_the_highest_day_fills_the_chart_and_a_day_with_any_mail_is_seen():
    assert heights(1000, 1, 0) == [CHART_HEIGHT, 1, 0]


def test_a_chart_without_mail_is_flat():
    assert heights(0, 0) == [0, 0]


def test_a_chart_says_its_figures():
    chart = ET.fromstring(day_bars(days(3000, 2), "deliveries", "<Mail>"))
    assert chart.attrib["aria-label"] == "<Mail>: 3,002 in 2 days"
    assert [title.text for title in chart.iter("title")] == ["01/01/2026: 3,000", "01/02/2026: 2"]


def test_the_sprite_holds_the_icons_that_are_used_and_no_others():
    there = set(re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text()))
    code = "\n".join(path.read_text() for path in CODE.rglob("*.py"))
    named = {name for name in there if f'"{name}"' in code}
    for template in TEMPLATES.rglob("*.html"):
        named |= set(re.findall(r'{% icon "([^"]+)"', template.read_text()))
    assert named == there
