"""However many names a stranger tries, an hour has a bounded number of rows, and each name that has one keeps it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mailstore.policy.trace_fold import DOMAINS_OF_AN_HOUR, NAMES_IN_ALL, NAMES_OF_AN_HOUR, FoldRoom

NOON = datetime(2026, 11, 30, 12, 5, tzinfo=UTC)


def test_alike_refusals_of_one_hour_are_one_row_and_those_of_the_next_another() -> None:
    room = FoldRoom()
    first = room.fold(NOON, "unknown", "s@example.net", "nobody@example.org")
    assert room.fold(NOON + timedelta(minutes=50), "unknown", "s@example.net", "nobody@example.org") == first
    assert room.fold(NOON + timedelta(hours=1), "unknown", "s@example.net", "nobody@example.org").key != first.key
    assert first[1:] == ("s@example.net", "nobody@example.org", "example.org")


def test_names_without_room_are_one_row_for_each_domain() -> None:
    room = FoldRoom()
    names = [f"n{number}@example.org" for number in range(NAMES_OF_AN_HOUR + 50)]
    folds = [room.fold(NOON, "unknown", "s@example.net", name) for name in names]
    assert len({fold.key for fold in folds}) == NAMES_OF_AN_HOUR + 1
    assert folds[-1][1:] == ("", "", "example.org")
    assert room.fold(NOON, "unknown", "s@example.net", names[0]) == folds[0]
    assert room.fold(NOON, "unknown", "s@example.net", "a@example.com").recipient == "a@example.com"


def test_domains_without_room_are_one_row() -> None:
    room = FoldRoom()
    folds = [
        room.fold(NOON, "unknown", "", f"a@d{number}.example") for number in range(DOMAINS_OF_AN_HOUR + 20)
    ]  # fmt: skip
    assert len({fold.key for fold in folds}) == DOMAINS_OF_AN_HOUR + 1
    assert folds[-1][1:] == ("", "", "")


def test_all_domains_together_have_a_bounded_number_of_names_in_an_hour() -> None:
    room = FoldRoom()
    names = [
        f"n{number}@d{domain}.example"
        for domain in range(NAMES_IN_ALL // NAMES_OF_AN_HOUR + 5)
        for number in range(NAMES_OF_AN_HOUR)
    ]
    folds = [room.fold(NOON, "unknown", "", name) for name in names]
    assert len({fold.key for fold in folds if fold.recipient}) == NAMES_IN_ALL
    assert folds[-1][1:] == ("", "", names[-1].partition("@")[2])
    assert room.fold(NOON + timedelta(hours=1), "unknown", "", names[-1]).recipient == names[-1]
