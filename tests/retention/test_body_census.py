"""How many bodies without a row are ordinary: few of a large store, some of a small one, never most."""

from __future__ import annotations

import pytest

from mailstore.retention.body_census import Census


@pytest.mark.parametrize(
    ("unknown", "known", "ordinary"),
    [
        (0, 0, True),
        (3, 47, True),
        (1, 1, True),
        (2, 1, False),
        (1, 0, False),
        (20, 20, True),
        (21, 100, False),
        (21, 2079, True),
        (1000, 99_000, True),
        (1001, 10_000_000, False),
        (21_051, 1, False),
    ],
)
def test_what_deliveries_leave_behind_is_little(unknown: int, known: int, ordinary: bool) -> None:
    assert Census(known, unknown).is_ordinary() is ordinary


@pytest.mark.parametrize(
    ("unknown", "known", "ours"), [(0, 0, True), (0, 1, True), (1, 9, True), (1, 8, False), (2000, 0, False)]
)
def test_a_store_is_ours_where_nearly_all_of_it_is_known(unknown: int, known: int, ours: bool) -> None:
    assert Census(known, unknown).is_ours() is ours
