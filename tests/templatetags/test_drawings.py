"""Icons and quota bars."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from popadmin.templatetags.drawings import quota_bar, share_percent

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


def test_the_sprite_holds_the_icons_that_are_used_and_no_others():
    there = set(re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text()))
    code = "\n".join(path.read_text() for path in CODE.rglob("*.py"))
    named = {name for name in there if f'"{name}"' in code}
    for template in TEMPLATES.rglob("*.html"):
        named |= set(re.findall(r'{% icon "([^"]+)"', template.read_text()))
    assert named == there
