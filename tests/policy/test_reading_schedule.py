"""How far the reading of all bodies has to be: one round in its days, nothing twice, nothing left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mailstore.policy import reading_schedule

BEGAN = datetime(2026, 5, 4, tzinfo=UTC)
DAY = timedelta(days=1)


def until(*, after: int = 0, last: int = 3000, looked: timedelta, now: timedelta, days: int = 30) -> int:
    return reading_schedule.until(
        after=after, last=last, began_at=BEGAN, looked_at=BEGAN + looked, now=BEGAN + now, days=days
    )


def test_each_day_has_its_share_of_what_is_left() -> None:
    assert until(looked=0 * DAY, now=DAY) == 100
    assert until(after=100, looked=DAY, now=2 * DAY) == 200
    assert (
        until(after=100, looked=11 * DAY, now=12 * DAY) == 100 + 2900 // 19
    )  # what was missed is spread over the rest


def test_what_came_in_meanwhile_is_in_the_round_too() -> None:
    assert until(after=2900, last=6000, looked=29 * DAY, now=30 * DAY) == 6000


@pytest.mark.parametrize("late", [0, 1, 400])
def test_at_the_end_of_a_round_all_is_due(late: int) -> None:
    assert until(after=5, looked=10 * DAY, now=(30 + late) * DAY) == 3000


def test_less_than_a_body_is_none_and_time_is_no_way_back() -> None:
    assert until(last=3, looked=0 * DAY, now=timedelta(hours=1)) == 0
    assert until(after=7, looked=2 * DAY, now=DAY) == 7


def test_a_look_may_take_a_tenth_of_the_time_since_the_last_within_bounds() -> None:
    assert reading_schedule.seconds(timedelta(minutes=5)) == 30
    assert reading_schedule.seconds(timedelta(seconds=1)) == reading_schedule.LEAST_SECONDS
    assert reading_schedule.seconds(timedelta(days=1)) == reading_schedule.MOST_SECONDS
