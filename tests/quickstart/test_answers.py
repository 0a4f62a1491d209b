"""The answers of quickstart: given ones, defaults, and what is refused by the name of its option."""

from __future__ import annotations

import pytest

from popadmin.quickstart.answers import Answers, Unanswered, collect

NOTHING = {"hostname": None, "domain": None, "admin": None}


def test_the_domain_is_that_of_the_host_unless_it_is_given() -> None:
    given = {**NOTHING, "hostname": "Mail.Example.org."}
    assert collect(given, None) == Answers("mail.example.org", "example.org", "admin")
    assert collect({**given, "domain": "example.net"}, None).domain == "example.net"
    assert collect({**NOTHING, "hostname": "example.org"}, None).domain == "example.org"


def test_what_is_not_given_is_asked_for_with_its_default() -> None:
    asked = []

    def ask(text: str, default: str) -> str:
        asked.append(default)
        return "root" if default == "admin" else default

    assert collect({**NOTHING, "hostname": "mail.example.org"}, ask).admin == "root"
    assert asked == ["example.org", "admin"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("hostname", "mail"),
        ("hostname", "192.0.2.7"),
        ("hostname", "mail_.example.org"),
        ("domain", "example"),
        ("domain", "@example.org"),
        ("admin", "ann@example.org"),
        ("admin", "two words"),
        ("admin", ""),
    ],
)
def test_an_answer_of_another_form_is_refused_by_the_name_of_its_option(option: str, value: str) -> None:
    given = {"hostname": "mail.example.org", "domain": "example.org", "admin": "admin", option: value}
    with pytest.raises(Unanswered, match=f"^--{option} takes "):
        collect(given, None)
