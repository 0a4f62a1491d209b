"""Moments in words, with the exact time in the reader's zone."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone, translation

from popadmin.web.times import exact, moment
from tests.web.people import ANN, an_owner, signed_in


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
