"""Names without @ are completed as the two settings say, and only then."""

from __future__ import annotations

import pytest

from mailstore.policy import login_name
from mailstore.policy.login_name import LoginNames

BY_PLACE = "pop.example.net=example.net,192.0.2.7=example.org,[2001:DB8::7]=six.test,example.test"


@pytest.mark.parametrize("typed", ["alice", "alice%example.test", "alice@example.test", "", " ", "@"])
def test_by_default_a_name_stays_as_it_was_typed(typed: str) -> None:
    assert login_name.read("", "").completed(typed, ["pop.example.net", "192.0.2.7"]) == typed


@pytest.mark.parametrize(
    ("typed", "places", "name"),
    [
        ("alice", [], "alice@example.test"),
        (" Alice ", [None, None], "Alice@example.test"),
        ("alice", ["pop.example.net", "198.51.100.1"], "alice@example.net"),
        ("alice", ["POP.Example.NET", "192.0.2.7"], "alice@example.net"),
        ("alice", [None, "192.0.2.7"], "alice@example.org"),
        ("alice", ["mail.example.com", "192.0.2.7"], "alice@example.org"),
        ("alice", [None, "2001:db8::7"], "alice@six.test"),
        ("alice@example.com", ["pop.example.net"], "alice@example.com"),
        ("", [], ""),
    ],
)
def test_a_bare_name_gets_the_domain_of_its_place_else_of_the_site(
    typed: str, places: list[str | None], name: str
) -> None:
    assert login_name.read(BY_PLACE, "").completed(typed, places) == name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("alice%example.test", "alice@example.test"),
        ("alice/example.test", "alice@example.test"),
        ("alice+example.test", "alice@example.test"),
        ("alice+tag%Example.TEST", "alice+tag@example.test"),
        ("alice%example.test@example.net", "alice%example.test@example.net"),
        ("alice+tag", "alice+tag"),
        ("%example.test", "%example.test"),
        ("alice%", "alice%"),
    ],
)
def test_an_old_separator_counts_as_at_where_a_domain_follows(typed: str, name: str) -> None:
    assert login_name.read("", "%,/,+").completed(typed, []) == name


def test_only_the_separators_that_are_set_count() -> None:
    assert login_name.read("", "%").completed("alice/example.test", []) == "alice/example.test"
    assert login_name.read("example.test", "%").completed("alice+tag", []) == "alice+tag@example.test"


@pytest.mark.parametrize(
    ("domains", "separators"),
    [("not a domain", ""), ("a.test,b.test", ""), ("=a.test", ""), ("x y=a.test", ""), ("", "%,!"), ("", "@")],
)
def test_a_bad_setting_is_refused(domains: str, separators: str) -> None:
    with pytest.raises(ValueError):
        login_name.read(domains, separators)


def test_nothing_is_set_by_default() -> None:
    assert login_name.read("", "") == LoginNames()
