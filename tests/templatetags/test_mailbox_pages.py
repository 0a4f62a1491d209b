"""What the pages of a mailbox write: days of its timeline, its usage, its names."""

from __future__ import annotations

import datetime

import pytest
from django.template.loader import render_to_string

from mailstore.messages.mailbox_usage import Part, Split
from mailstore.models import Mailbox, User
from popadmin.templatetags.drawings import split_bar
from popadmin.templatetags.mailbox_pages import addr, also_called, day_heading, split_percent

TODAY = datetime.date(2026, 11, 30)
MB = 2**20


@pytest.mark.parametrize(
    ("date", "heading"),
    [
        (TODAY, "Today, Mon 30 Nov"),
        (datetime.date(2026, 11, 29), "Yesterday, Sun 29 Nov"),
        (datetime.date(2026, 11, 12), "Thu 12 Nov"),
        (datetime.date(2025, 11, 12), "2025-11-12"),
    ],
)
def test_a_day_is_named_as_people_name_it(date: datetime.date, heading: str) -> None:
    time = day_heading(date, TODAY).replace("\xa0", " ")
    assert time == f'<time datetime="{date}" title="{date} UTC">{heading}</time>'


def split(waiting: int, kept: int) -> Split:
    return Split(Part(1, waiting), Part(1, kept), Part(1, 7))


@pytest.mark.parametrize(
    ("quota_octets", "percent", "level"),
    [
        (10 * MB, "30\xa0%", ""),
        (3 * MB, "100\xa0%", "bad"),
        (None, "", ""),
        (3 * MB + 9, "99\xa0%", "warn"),
    ],
)
def test_the_percents_are_coloured_where_they_matter(quota_octets: int | None, percent: str, level: str) -> None:
    text = split_percent(split(MB, 2 * MB), quota_octets)
    assert text == (f' <span class="num {level}">{percent}</span>' if percent else "")


def test_a_gap_marks_the_quota_in_a_bar_that_is_over_it() -> None:
    def drawn(quota_octets: int | None) -> str:
        return render_to_string("partials/split_bar.html", split_bar(split(MB, 3 * MB), quota_octets, headed=True))

    over = drawn(MB)
    assert '<rect class="wait" width="25%"' in over
    assert '<rect class="kept" width="100%"' in over
    assert '<rect class="quota" x="25%"' in over
    assert 'class="quota"' not in drawn(8 * MB)
    assert '<rect class="kept" width="50%"' in drawn(8 * MB)
    assert 'class="quota"' not in drawn(None)


def test_the_local_part_of_an_address_stands_out() -> None:
    assert addr("a<b@example.org") == '<span class="addr"><b>a&lt;b</b>@example.org</span>'


def test_a_mailbox_is_also_called_by_its_script_and_its_owner() -> None:
    mailbox = Mailbox(user=User(address="ann@xn--bcher-kva.example", name="Ann"))
    assert also_called(mailbox) == "ann@bücher.example · Ann"
    assert also_called(Mailbox(user=User(address="ann@example.org"))) == ""
