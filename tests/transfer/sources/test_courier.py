"""Courier's `courierpop3dsizelist`, in all its versions."""

from __future__ import annotations

import pytest

from mailstore.transfer.sources import courier


@pytest.mark.parametrize(
    ("text", "uidls"),
    [
        ("1300000001.a 17\n1300000002.b 18\n", ["1300000001.a", "1300000002.b"]),
        ("/1 3\n1300000001.a 17 1\n1300000002.b 18 2\n", ["UID1", "UID2"]),
        ("/2 3 1275660208\n1300000001.a 17 1:1275660208\n1300000002.b 18 2:0\n", ["UID1-1275660208", "UID2"]),
        (
            "/3 3 1275660208\n1300000001.a 17 1:1275660208:0\n1300000002.b 18 0:0:1\n",
            ["UID1-1275660208", "1300000002.b"],
        ),
    ],
    ids=["no header", "1", "2", "3"],
)
def test_each_version_gives_the_uidls_that_courier_shows(text: str, uidls: list[str]) -> None:
    assert courier.parse(text.splitlines(keepends=True)) == dict(
        zip(("1300000001.a", "1300000002.b"), uidls, strict=True)
    )


def test_a_file_name_as_uidl_is_escaped_and_has_no_flags() -> None:
    parsed = courier.parse(["1.'a\"+b c\udce9,S=17:2,S 17\n"])
    assert parsed == {"1.'a\"+b c\udce9,S=17": "1.+27a+22+2Bb+20c+E9,S=17"}


def test_the_order_is_that_of_the_lines_and_lines_that_are_not_valid_are_skipped() -> None:
    assert list(courier.parse(["/3 9 7\n", "2.b 1 2:7:0\n", "\n", "1.a x\n", "1.a 1 1:7:0\n"])) == ["2.b", "1.a"]
    assert courier.parse([]) == {}


@pytest.mark.parametrize("header", ["/4 1 2\n", "/x\n", "/3\n"])
def test_a_version_that_is_not_known_stops_the_import(header: str) -> None:
    with pytest.raises(courier.BadSizeList, match="does not begin"):
        courier.parse([header])
