"""Which clocks start anew when a rule changes, and how long before its silence counts an owner is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailstore.policy.retention import CAP_GRACE_DAYS, Rule, days_until_effect, notice_days, sharpened

KEEPS = Rule(
    expire_days=None,
    expire_confirmed_days=None,
    expire_unfetched=False,
    remove_when_confirmed=False,
    hold_days=7,
    recovery_days=30,
    recovery_octets=None,
    relief="never",
    silent_days=45,
    diary_days=90,
)


@pytest.mark.parametrize(
    ("old", "new", "clocks"),
    [
        ({}, {"expire_days": 30}, {"expire_since"}),
        ({"expire_days": 30}, {"expire_days": 20}, {"expire_since"}),
        ({"expire_days": 30}, {"expire_days": 60}, set()),
        ({"expire_days": 30}, {}, set()),
        ({"expire_days": 30}, {"expire_days": 30, "expire_unfetched": True}, {"expire_since"}),
        ({}, {"expire_unfetched": True}, set()),
        ({}, {"expire_confirmed_days": 5}, {"expire_confirmed_since"}),
        ({}, {"remove_when_confirmed": True}, {"remove_since"}),
        ({"remove_when_confirmed": True}, {"remove_when_confirmed": True, "hold_days": 6}, {"remove_since"}),
        ({}, {"hold_days": 1}, set()),
        ({}, {"recovery_days": 29}, {"recovery_since"}),
        ({}, {"recovery_days": 31}, set()),
    ],
)
def test_a_clock_starts_anew_only_where_a_rule_takes_more(
    old: dict[str, object], new: dict[str, object], clocks: set[str]
) -> None:
    assert sharpened(replace(KEEPS, **old), replace(KEEPS, **new)) == clocks


@pytest.mark.parametrize(
    ("old", "new", "days"),
    [
        ({}, {}, None),
        ({"expire_days": 30}, {"expire_days": 60}, None),
        ({}, {"expire_days": 30, "expire_confirmed_days": 5}, 5),
        ({"expire_days": 30}, {"expire_days": 30, "recovery_days": 3}, 3),
        ({}, {"recovery_days": 0}, 1),
        ({}, {"recovery_octets": 2**30}, CAP_GRACE_DAYS),
        ({}, {"remove_when_confirmed": True, "hold_days": 0}, 0),
        ({}, {"relief": "every"}, 0),
        ({"relief": "every"}, {"relief": "one"}, 0),
        ({"relief": "one"}, {"relief": "every"}, None),
        ({"relief": "every"}, {"relief": "every", "silent_days": 44}, 0),
        ({}, {"silent_days": 44}, None),
        ({}, {"diary_days": 89}, 0),
    ],
)
def test_a_change_first_removes_something_by_the_rule_that_acts_first(
    old: dict[str, object], new: dict[str, object], days: int | None
) -> None:
    assert days_until_effect(replace(KEEPS, **old), replace(KEEPS, **new)) == days


@pytest.mark.parametrize(("silent_days", "days"), [(45, 7), (14, 7), (6, 3), (1, 1)])
def test_a_short_silence_has_a_short_notice(silent_days: int, days: int) -> None:
    assert notice_days(silent_days) == days
