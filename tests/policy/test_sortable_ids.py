"""Ids: their shape, their order, and that nothing is lost in them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.policy.sortable_ids import ID_CHARACTERS, RANDOM_OCTETS, is_id, new_id, parts

MOMENTS = st.integers(0, 2**48 - 1)
CHANCE = st.binary(min_size=RANDOM_OCTETS, max_size=RANDOM_OCTETS)


@pytest.mark.req("P-079")
@given(MOMENTS, CHANCE)
def test_an_id_is_26_characters_that_fit_a_file_name_and_a_uidl(milliseconds: int, chance: bytes) -> None:
    made = new_id(milliseconds, chance)
    assert re.fullmatch("[0-9a-hjkmnp-tv-z]{26}", made)
    assert len(made) == ID_CHARACTERS
    assert is_id(made)


@pytest.mark.req("P-083")
@given(MOMENTS, CHANCE)
def test_an_id_gives_back_what_it_was_made_of(milliseconds: int, chance: bytes) -> None:
    assert parts(new_id(milliseconds, chance)) == (milliseconds, chance)


@given(st.tuples(MOMENTS, CHANCE), st.tuples(MOMENTS, CHANCE))
def test_ids_sort_by_time_and_then_by_chance(one: tuple[int, bytes], two: tuple[int, bytes]) -> None:
    assert (new_id(*one) < new_id(*two)) == (one < two)


def test_the_smallest_and_the_largest_id_are_known() -> None:
    assert new_id(0, bytes(10)) == "0" * 26
    assert new_id(2**48 - 1, b"\xff" * 10) == "7" + "z" * 25


@pytest.mark.parametrize(
    "text", ["", "0" * 25, "0" * 27, "8" + "0" * 25, "0" * 25 + "u", "0" * 25 + "A", "0" * 25 + "\n"]
)
def test_what_could_not_have_been_made_is_no_id(text: str) -> None:
    assert not is_id(text)
    with pytest.raises(ValueError, match="is not an id"):
        parts(text)


@pytest.mark.parametrize(
    ("milliseconds", "chance"), [(-1, bytes(10)), (2**48, bytes(10)), (0, bytes(9)), (0, bytes(11))]
)
def test_an_id_is_not_made_of_less_or_more(milliseconds: int, chance: bytes) -> None:
    with pytest.raises(ValueError, match="48 bits"):
        new_id(milliseconds, chance)
