"""How a list shows the usage of a quota."""

from __future__ import annotations

import pytest

from popadmin.templatetags.lists import use_cell
from popadmin.web.usage_share import share_percent


@pytest.mark.parametrize(
    ("octets", "quota_octets", "percent", "bar", "level"),
    [
        (0, 100, "0", 'class="use" width="0%"', ""),
        (89, 100, "89", 'class="use" width="89%"', ""),
        (90, 100, "90", 'class="warn" width="90%"', "warn"),
        (99, 100, "99", 'class="warn" width="99%"', "warn"),
        (100, 100, "100", 'class="bad" width="100%"', "bad"),
        (200, 100, "200", 'class="quota" x="50.0%"', "bad"),
        (0, 0, "100", 'class="bad" width="100%"', "bad"),
    ],
)
def test_a_bar_has_a_colour_where_it_matters_and_a_gap_marks_a_quota_that_is_passed(
    octets: int, quota_octets: int, percent: str, bar: str, level: str
) -> None:
    drawn = use_cell(octets, quota_octets)
    assert bar in drawn
    assert f'<span class="num {level}">{percent}\N{NO-BREAK SPACE}%</span>' in drawn


def test_where_there_is_no_quota_there_is_no_bar() -> None:
    assert "svg" not in use_cell(9, None)
    assert "9 bytes" in use_cell(9, None)


def test_a_hundred_percent_is_said_only_when_they_are_reached() -> None:
    assert share_percent(10**12 - 1, 10**12) == 99


def test_the_figures_of_a_quota_are_text_beside_a_bar_that_is_hidden_from_readers() -> None:
    drawn = use_cell(2**29, 2**30)
    assert 'aria-hidden="true"' in drawn
    assert "512\N{NO-BREAK SPACE}MB" in drawn
    assert "style=" not in drawn
