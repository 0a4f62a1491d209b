"""The shell shows a name in its own script with the stored one beside it; JSON has both."""

from __future__ import annotations

import json

import pytest

from tests.management.command_runner import said

pytestmark = pytest.mark.django_db
STORED, READABLE = "xn--exmple-4ya.test", "exümple.test"


def test_a_domain() -> None:
    assert said("domain", "ensure", READABLE) == f"{READABLE} ({STORED}): created\n"
    assert said("domain", "ensure", "plain.test") == "plain.test: created\n"
    said("domain", "ensure", "other.test", "--stands-for", READABLE)
    table = said("domain", "list").splitlines()
    assert [line.partition("  ")[0] for line in table[1:]] == ["other.test", "plain.test", f"{READABLE} ({STORED})"]
    assert f"alias of {READABLE} ({STORED})" in table[1]
    assert f"{READABLE} ({STORED})" in said("domain", "show", READABLE)
    row = json.loads(said("domain", "show", READABLE, "--json"))
    assert (row["name"], row["readable"]) == (STORED, READABLE)


def test_a_mailbox() -> None:
    said("domain", "ensure", READABLE)
    assert said("mailbox", "ensure", f"ann@{READABLE}").startswith(f"ann@{READABLE} ({STORED}): created\n")
    assert f"\nann@{READABLE} ({STORED})  " in said("mailbox", "list")
    shown = said("mailbox", "show", f"ann@{STORED}").splitlines()
    assert shown[0] == f"address: ann@{READABLE} ({STORED})"
    assert not [line for line in shown if line.startswith("readable")]
    row = json.loads(said("mailbox", "show", f"ann@{READABLE}", "--json"))
    assert (row["address"], row["readable"]) == (f"ann@{STORED}", f"ann@{READABLE}")


def test_an_alias_and_its_targets() -> None:
    said("domain", "ensure", READABLE)
    said("mailbox", "ensure", f"ann@{READABLE}")
    said("alias", "ensure", f"info@{READABLE}", f"ann@{READABLE}")
    line = said("alias", "list").splitlines()[1]
    assert line.startswith(f"info@{READABLE} ({STORED})  ")
    assert line.endswith(f"  ann@{READABLE} ({STORED})")
    (row,) = json.loads(said("alias", "list", "--json"))
    assert (row["address"], row["readable"]) == (f"info@{STORED}", f"info@{READABLE}")
