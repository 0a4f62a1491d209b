"""Charts of days: bars and the words beside them."""

from __future__ import annotations

import datetime
from xml.etree import ElementTree as ET

from django.utils import timezone, translation

from popadmin.panel.daily_traffic import Day
from popadmin.templatetags.charts import BAR_MOST, GROUND, day_chart, share_bar

YEAR = timezone.now().year  # the first day is written without it


def chart(*deliveries: int, noun: str = "deliveries") -> ET.Element:
    days = [Day(datetime.date(YEAR, 11, 1 + number), count) for number, count in enumerate(deliveries)]
    return ET.fromstring(day_chart(days, "deliveries", noun))


def heights(drawn: ET.Element) -> list[int]:
    """Return the heights of the bars, which all stand on the ground."""
    bars = [bar.attrib for bar in drawn.iter("rect")]
    assert all(int(bar["y"]) + int(bar["height"]) == GROUND for bar in bars)
    return [int(bar["height"]) for bar in bars]


def words(drawn: ET.Element) -> list[str]:
    return [(each.text or "").replace("\xa0", " ") for each in drawn.iter("text")]


def weekday(day: int) -> str:
    return f"{datetime.date(YEAR, 11, day):%a}"


def test_the_highest_day_fills_the_chart_and_a_day_with_any_mail_is_seen():
    assert heights(chart(1000, 1, 0)) == [BAR_MOST, 1, 0]


def test_a_chart_without_mail_is_flat_and_names_no_peak():
    drawn = chart(0, 0)
    assert heights(drawn) == [0, 0]
    assert words(drawn) == ["1 Nov", "0 today, so far"]


def test_the_peak_and_today_stand_out_and_are_said_in_words():
    drawn = chart(5, 3104, 7, 812)
    assert [bar.get("class") for bar in drawn.iter("rect")] == [None, "top", None, "top"]
    assert words(drawn) == [f"3,104 on {weekday(2)} 2 Nov", "1 Nov", "812 today, so far"]


def test_a_peak_today_is_said_once():
    drawn = chart(1, 9)
    assert [bar.get("class") for bar in drawn.iter("rect")] == [None, "top"]
    assert words(drawn) == ["1 Nov", "9 today, so far"]


def test_the_words_of_a_peak_at_the_edge_stay_inside():
    first = next(chart(9, *[1] * 29).iter("text"))
    last = next(chart(*[1] * 28, 9, 1).iter("text"))
    assert (first.get("text-anchor"), last.get("text-anchor")) == ("start", "end")
    assert float((first.get("x") or "").rstrip("%")) >= 0
    assert float((last.get("x") or "").rstrip("%")) <= 100


def test_screen_readers_are_told_the_same():
    drawn = chart(3000, 2, noun="<deliveries>")
    assert (drawn.get("aria-label") or "").replace("\xa0", " ") == (
        f"3,002 <deliveries> in 30 days, at most 3,000 on {weekday(1)} 1 Nov, 2 today, so far"
    )


def test_places_are_written_with_a_point_in_every_language():
    with translation.override("fr"):
        assert all("," not in (bar.get("x") or "") for bar in chart(1, 2, 3).iter("rect"))


def test_the_row_with_the_most_fills_the_bar():
    assert 'width="33%"' in share_bar(1, 3)
    assert 'width="100%"' in share_bar(3, 3)
    assert 'width="0%"' in share_bar(0, 0)
