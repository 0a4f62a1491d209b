"""Domain names that look like others: what people read, which scripts are mixed, what is taken for what."""

from __future__ import annotations

import pytest

from mailstore.policy.addresses import normal_domain, shown_domain
from mailstore.policy.homographs import looks_like, mixed_scripts

CYRILLIC_APPLE = "\u0430\u0440\u0440\u04cf\u0435.com"
MIXED_APPLE = "\u0430pple.com"


@pytest.mark.parametrize("name", ["bücher.example", "日本語.jp", "ελλάδα.gr", "example.org", CYRILLIC_APPLE])
def test_a_stored_name_reads_as_it_was_written(name: str) -> None:
    assert shown_domain(normal_domain(name)) == name


def test_what_is_no_a_label_stays_as_it_is() -> None:
    assert shown_domain("xn--a-.example") == "xn--a-.example"


@pytest.mark.parametrize("name", [CYRILLIC_APPLE, MIXED_APPLE])
def test_letters_that_look_alike_make_names_that_look_alike(name: str) -> None:
    assert looks_like(normal_domain(name)) == looks_like("apple.com") == "apple.com"


@pytest.mark.parametrize("name", ["bücher.example", "bạn.vn", "дом.рф", "日本語.jp"])
def test_honest_names_look_like_nothing_else(name: str) -> None:
    assert mixed_scripts(normal_domain(name)) == ()
    assert not looks_like(normal_domain(name)).isascii()


def test_a_label_of_two_scripts_is_told_and_two_labels_of_one_each_are_not() -> None:
    assert mixed_scripts(normal_domain(MIXED_APPLE)) == ("Cyrillic", "Latin")
    assert mixed_scripts(normal_domain("дом.example")) == ()
