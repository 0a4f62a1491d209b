"""Two lists of UIDLs: what is missing, what is more, what stands elsewhere."""

from __future__ import annotations

import pytest

from mailstore.transfer.uidl_comparison import Comparison, compared


@pytest.mark.parametrize(
    ("there", "here", "found"),
    [
        ("", "", Comparison(0, 0, [], [], [])),
        ("abc", "abc", Comparison(3, 3, [], [], [])),
        ("abc", "ac", Comparison(3, 2, ["b"], [], [])),
        ("ac", "abc", Comparison(2, 2, [], ["b"], [])),
        ("abcd", "dabc", Comparison(4, 3, [], [], ["d"])),
        ("abcd", "bacd", Comparison(4, 3, [], [], ["a"])),
        ("ab", "xy", Comparison(2, 0, ["a", "b"], ["x", "y"], [])),
        ("aab", "ab", Comparison(3, 2, ["a"], [], [])),
    ],
)
def test_what_differs_is_named(there: str, here: str, found: Comparison) -> None:
    assert compared(list(there), list(here)) == found
    assert found.equal == (there == here)
