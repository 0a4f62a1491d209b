"""Sizes, counts and moments as people read them."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone, translation

from popadmin.web.formats import count, exact, moment, size, size_or_none
from tests.site.page_users import ANN, an_owner, signed_in

KB, MB, GB, TB = (2 ** (10 * power) for power in range(1, 5))


@pytest.mark.parametrize(
    ("octets", "english", "french"),
    [
        (0, "0 bytes", "0 octet"),
        (1, "1 byte", "1 octet"),
        (1023, "1023 bytes", "1023 octets"),
        (KB, "1.0 KB", "1,0 Ko"),
        (MB - 1, "1.0 MB", "1,0 Mo"),
        (int(1.5 * GB), "1.5 GB", "1,5 Go"),
        (GB - 1, "1.0 GB", "1,0 Go"),
        (2500 * TB, "2500.0 TB", "2500,0 To"),
    ],
)
def test_a_size_has_one_decimal_and_the_largest_unit_that_leaves_one(octets, english, french):
    with translation.override("en"):
        assert size(octets).replace("\N{NO-BREAK SPACE}", " ") == english
    with translation.override("fr"):
        assert size(octets).replace("\N{NO-BREAK SPACE}", " ") == french


def test_no_quota_is_said_in_words():
    assert size_or_none(None) == "no limit"
    assert size_or_none(GB) == size(GB)


def test_thousands_are_grouped_as_the_language_does():
    with translation.override("en"):
        assert count(1234567) == "1,234,567"
    with translation.override("fr"):
        assert count(1234567).split() == ["1", "234", "567"]


@pytest.mark.parametrize(
    ("away", "english", "french"),
    [
        ({"seconds": -5}, "just now", "à l’instant"),
        ({"days": -2, "hours": -5}, "2\xa0days ago", "il y a 2\xa0jours"),
        ({"days": 3, "seconds": 9}, "in 3\xa0days", "dans 3\xa0jours"),
    ],
)
def test_the_words_are_few_and_in_both_languages(away, english, french) -> None:
    at = timezone.now() + datetime.timedelta(**away)
    assert f">{english}</time>" in moment(at)
    with translation.override("fr"):
        assert f">{french}</time>" in moment(at)


def test_what_is_long_ago_has_a_date() -> None:
    assert ">Feb. 1, 2020</time>" in moment(datetime.datetime(2020, 2, 1, tzinfo=datetime.UTC))


def test_no_moment_is_never() -> None:
    assert moment(None) == '<span class="nothing">never</span>'
    assert "not yet" in moment(None, "not yet")


def test_the_exact_time_is_in_the_zone_of_the_reader() -> None:
    at = datetime.datetime(2026, 7, 1, 12, 0, tzinfo=datetime.UTC)
    with translation.override("fr"), timezone.override("Europe/Paris"):
        assert exact(at) == "01/07/2026 14:00 CEST"
        assert 'title="01/07/2026 14:00 CEST"' in moment(at)
        assert 'datetime="2026-07-01T12:00:00+00:00"' in moment(at)


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "", "../../etc/passwd", "No/Where", "x" * 5000, "\0"])
def test_any_cookie_may_come_and_only_a_zone_is_taken(zone) -> None:
    an_owner()
    client = signed_in(ANN)
    client.cookies["zone"] = zone
    assert client.get("/mailbox/").status_code == 200
    assert timezone.get_current_timezone_name() == "UTC"
