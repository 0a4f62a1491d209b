"""Sizes, counts and moments as people read them."""

from __future__ import annotations

import ast
import datetime
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from popadmin.web import formats, region
from popadmin.web.forecast_chart import chart
from popadmin.web.formats import (
    ago,
    at,
    calendar_day,
    count,
    day,
    day_and_month,
    exact,
    facts,
    fill,
    lasted,
    long_date,
    moment,
    percent,
    size,
    size_or_none,
    used_of,
    weekday_date,
)
from popadmin.web.middleware import ReaderZone
from tests.site.page_users import ANN, an_owner, signed_in

KB, MB, GB, TB = (2 ** (10 * power) for power in range(1, 5))
HOUR = datetime.timedelta(hours=1)
REPOSITORY = Path(__file__).resolve().parents[2]
PAGE_ROOMS = ("web", "lists", "signin", "owner", "panel", "connect", "templatetags")
DATE_WRITERS = {"date_format", "time_format", "strftime", "localize", "ctime", "naturaltime", "naturalday"}


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def shown(html: str) -> str:
    """Return the text of a `<time>`, with ordinary spaces."""
    return plain(html.partition(">")[2].partition("<")[0])


@pytest.mark.parametrize(
    ("octets", "english", "french"),
    [
        (0, "0", "0"),
        (1, "1 byte", "1 octet"),
        (1023, "1023 bytes", "1023 octets"),
        (KB, "1 KB", "1 Ko"),
        (MB - 1, "1 MB", "1 Mo"),
        (int(1.2 * GB), "1.2 GB", "1,2 Go"),
        (int(99.9 * MB), "99.9 MB", "99,9 Mo"),
        (int(512.3 * MB), "512 MB", "512 Mo"),
        (1010 * MB, "1,010 MB", "1 010 Mo"),
        (GB - 1, "1 GB", "1 Go"),
        (2500 * TB, "2,500 TB", "2 500 To"),
    ],
)
def test_a_size_has_the_largest_unit_that_leaves_one_and_no_needless_digit(octets, english, french):
    with translation.override("en"):
        assert plain(size(octets)) == english
    with translation.override("fr"):
        assert plain(size(octets)) == french


def test_no_quota_is_said_in_words():
    assert size_or_none(None) == "no limit"
    assert size_or_none(GB) == size(GB)


@pytest.mark.parametrize(
    ("used", "quota", "text"),
    [
        (0, 2 * GB, "0 of 2 GB"),
        (500 * MB, 2 * GB, "500 MB of 2 GB"),
        (int(1.98 * GB), 2 * GB, "1.98 GB of 2 GB"),
        (2 * GB - 1, 2 * GB, "1.99 GB of 2 GB"),
        (2 * GB, 2 * GB, "2 GB of 2 GB"),
        (2 * GB + 1, 2 * GB, "2.01 GB of 2 GB"),
        (int(2.04 * GB), 2 * GB, "2.04 GB of 2 GB"),
        (500 * MB - 1, 500 * MB, "499.99 MB of 500 MB"),
        (2_000_000_001, 2_000_000_000, "1.87 GB of 1.86 GB"),
        (1_999_999_999, 2_000_000_000, "1.85 GB of 1.86 GB"),
        (1, 0, "1 byte of 0"),
        (GB, None, "1 GB, no limit"),
    ],
)
def test_what_is_used_of_a_quota_never_contradicts_the_percent(used, quota, text):
    assert plain(used_of(used, quota)) == text


@given(quota=st.integers(1, 5 * TB), away=st.integers(-GB, GB))
def test_used_and_quota_read_alike_only_at_the_quota(quota, away):
    used, whole = used_of(max(0, quota + away), quota).split(" of ")
    assert (used == whole) is (away == 0)


def test_thousands_are_grouped_as_the_language_does():
    with translation.override("en"):
        assert count(3214) == "3,214"
        assert count(1234567) == "1,234,567"
    with translation.override("fr"):
        assert count(3214) == "3\N{NO-BREAK SPACE}214"


def test_percents_do_not_break():
    assert percent(65) == "65\N{NO-BREAK SPACE}%"
    assert percent(1021) == "1,021\N{NO-BREAK SPACE}%"


def noon(days: int) -> datetime.datetime:
    """Return 12:30 of a day, in UTC, as many days from today."""
    today = timezone.now().replace(hour=12, minute=30, second=5, microsecond=0)
    return today + datetime.timedelta(days=days)


def test_today_is_a_time_of_day():
    assert shown(moment(noon(0))) == "12:30"


def test_the_last_week_is_a_weekday_with_the_time():
    english, french = noon(-6), ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
    assert shown(moment(english)) == f"{english:%a} 12:30"
    with translation.override("fr"):
        assert shown(moment(english)) == f"{french[english.weekday()]} 12:30"


def test_a_weekday_of_the_next_week_has_its_date():
    at = noon(6)
    assert shown(moment(at)) == f"{at:%a} {at.day} {at:%b}"


def test_the_same_weekday_a_week_ago_is_a_date():
    assert ":" not in shown(moment(noon(-7)))


def test_a_day_of_this_year_has_no_year_and_another_has_all_of_it():
    with translation.override("fr"):
        assert shown(day(noon(0).replace(month=11, day=12))) == "12 nov."
    assert shown(day(noon(0).replace(month=11, day=12))) == "12 Nov"
    assert shown(day(datetime.datetime(2020, 2, 1, tzinfo=datetime.UTC))) == "2020-02-01"
    assert shown(moment(datetime.datetime(2020, 2, 1, tzinfo=datetime.UTC))) == "2020-02-01"


def test_a_date_in_a_sentence_has_its_names_in_full():
    assert long_date(datetime.date(2020, 2, 1)) == "Saturday 1 February"
    with translation.override("fr"):
        assert long_date(datetime.date(2020, 2, 2)) == "dimanche 2 février"
        assert plain(weekday_date(datetime.date(2020, 2, 2))) == "dim. 2 févr."
        assert plain(day_and_month(datetime.date(2020, 2, 2))) == "2 févr."


def test_a_browser_of_the_united_states_has_the_month_first_and_twelve_hours_in_english_only():
    yesterday = noon(-1)
    with region.override("us"):
        assert shown(moment(noon(0))) == "12:30 PM"
        assert shown(moment(noon(0).replace(hour=0))) == "12:30 AM"
        assert shown(moment(yesterday)) == f"{yesterday:%a} 12:30 PM"
        assert shown(day(noon(0).replace(month=11, day=12))) == "Nov 12"
        assert plain(weekday_date(datetime.date(2020, 2, 1))) == "Sat, Feb 1"
        assert plain(day_and_month(datetime.date(2020, 2, 1))) == "Feb 1"
        assert long_date(datetime.date(2020, 2, 1)) == "Saturday, February 1"
        assert shown(at(noon(0))).endswith(" 12:30:05"), "logs have one form everywhere"
        with translation.override("fr"):
            assert shown(moment(noon(0))) == "12:30"
            assert shown(day(noon(0).replace(month=11, day=12))) == "12 nov."


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ""),
        ("en", ""),
        ("en-US,en;q=0.5", "us"),
        ("en-GB,en-US;q=0.9,en;q=0.8", "gb"),
        ("en,en-GB;q=0.9", "gb"),
        ("fr,fr-FR;q=0.8,en-US;q=0.5,en;q=0.3", "fr"),
        ("de,en-US;q=0.7,en;q=0.3", ""),
        ("fr-CA", "ca"),
        ("zh-Hant-TW,zh;q=0.8", "tw"),
        ("es-419,es;q=0.8", ""),
        ("x" * 5000, ""),
        ("*", ""),
        ("-, ;q=a, \0", ""),
    ],
)
def test_the_region_is_that_of_the_language_that_the_browser_prefers(header, expected):
    assert region.of_header(header) == expected


@pytest.mark.parametrize(
    ("away", "english", "french"),
    [
        ({"seconds": -5}, "just now", "à l’instant"),
        ({"minutes": -4, "seconds": -5}, "4 minutes ago", "il y a 4 minutes"),
        ({"minutes": -1, "seconds": -5}, "1 minute ago", "il y a 1 minute"),
    ],
)
def test_what_is_live_is_said_by_its_age(away, english, french) -> None:
    at = timezone.now() + datetime.timedelta(**away)
    assert shown(ago(at)) == english
    with translation.override("fr"):
        assert shown(ago(at)) == french


def test_what_is_no_longer_live_has_a_time() -> None:
    for when in (timezone.now() - 2 * HOUR, timezone.now() + HOUR, None):
        assert ago(when) == moment(when)


def test_no_moment_is_never() -> None:
    assert moment(None) == '<span class="nothing">never</span>'
    assert "not yet" in moment(None, "not yet")
    assert ago(None, "not yet") == moment(None, "not yet")


def test_every_time_says_its_zone_and_is_in_the_zone_of_the_reader() -> None:
    summer = datetime.datetime(2026, 7, 1, 22, 0, 7, 999, tzinfo=datetime.UTC)
    with translation.override("fr"), timezone.override("Europe/Paris"):
        assert exact(summer) == "2026-07-02 00:00:07 CEST"
        for written in (moment(summer), at(summer), day(summer), ago(summer)):
            assert 'title="2026-07-02 00:00:07 CEST"' in written
            assert 'datetime="2026-07-01T22:00:07+00:00"' in written
        assert shown(at(summer)) == "2026-07-02 00:00:07"


def test_a_duration_has_one_unit() -> None:
    began = timezone.now()
    assert lasted(began, began + datetime.timedelta(seconds=1)) == "1 second"
    assert plain(lasted(began, began + datetime.timedelta(minutes=3, seconds=20))) == "3 minutes"


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "", "../../etc/passwd", "No/Where", "x" * 5000, "\0"])
def test_any_cookie_may_come_and_only_a_zone_is_taken(zone) -> None:
    an_owner()
    client = signed_in(ANN)
    client.cookies["zone"] = zone
    assert client.get("/mailbox/").status_code == 200
    assert timezone.get_current_timezone_name() == "UTC"


@pytest.mark.parametrize(("header", "expected"), [("en-US", "12:30 PM"), ("en-GB", "12:30")])
def test_a_page_has_the_dates_of_the_region_that_the_browser_names(header, expected) -> None:
    request = RequestFactory().get("/", headers={"Accept-Language": header})
    response = ReaderZone(lambda _request: HttpResponse(moment(noon(0))))(request)
    assert shown(response.content.decode()) == expected
    assert region.of_reader() == "", "a request leaves nothing behind"


def test_a_whole_day_says_its_zone() -> None:
    date = datetime.date(2026, 7, 1)
    with timezone.override("Europe/Paris"):
        assert calendar_day(date, "1 Jul") == '<time datetime="2026-07-01" title="2026-07-01 CEST">1 Jul</time>'
        assert 'title="2026-07-01 UTC"' in calendar_day(date, "1 Jul", datetime.UTC)


def test_a_text_with_a_time_in_it_is_html_and_what_people_wrote_is_escaped() -> None:
    time = day(datetime.datetime(2020, 2, 1, tzinfo=datetime.UTC))
    assert fill("%(a)s: %(b)s", a="<i>", b="&") == "<i>: &", "the template escapes it"
    line = fill("%(a)s: %(b)s", a="<i>", b=time)
    assert line == f"&lt;i&gt;: {time}"
    assert facts(["<b>", "", line]) == f"&lt;b&gt;; {line}"
    assert facts(["<b>", "&"]) == "<b>; &"


def dates_written_in_code() -> Iterator[str]:
    for path in (path for room in PAGE_ROOMS for path in (REPOSITORY / "popadmin" / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = {getattr(node, "attr", ""), getattr(node, "id", "")} | {
                alias.name for alias in getattr(node, "names", []) if isinstance(alias, ast.alias)
            }
            dated = isinstance(node, ast.FormattedValue) and "%" in ast.unparse(node.format_spec or ast.Constant(""))
            if path != Path(formats.__file__) and (dated or names & DATE_WRITERS):
                yield f"{path.relative_to(REPOSITORY)}:{node.lineno}"


def test_no_page_writes_a_date_in_another_way() -> None:
    in_templates = [
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "templates").rglob("*.html")
        if re.search(r"\|(date|time|timesince|timeuntil|naturaltime|naturalday)\b|{% now\b", path.read_text())
    ]
    assert [*dates_written_in_code(), *in_templates] == []


def test_a_forecast_has_the_dates_of_the_reader_in_its_chart_and_its_sentence() -> None:
    first = timezone.now().astimezone(datetime.UTC).date()
    with region.override("us"):
        assert f">{day_and_month(first)}<" in chart({first: 3}, first)
        assert f"3 on {weekday_date(first)}" in chart({first: 3}, first)
    with translation.override("fr"):
        assert f"3 le {weekday_date(first)}" in chart({first: 3}, first)
