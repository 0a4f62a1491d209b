"""`alias`: what it prints and changes."""

from __future__ import annotations

import json

import pytest

from mailstore.models import Alias
from tests.management.command_runner import said
from tests.site.rows import a_domain, a_mailbox

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


def test_alias_ensure_list_and_remove() -> None:
    a_domain()
    assert said("alias", "ensure", "@example.org", "ann@example.com", "bob@example.com").startswith(
        "@example.org: created"
    )
    assert json.loads(said("alias", "list", "--json")) == [
        {
            "address": "@example.org",
            "readable": "@example.org",
            "active": True,
            "targets": ["ann@example.com", "bob@example.com"],
            "forward": False,
            "keep_copy": False,
            "expires_at": None,
            "expired": False,
            "comment": "",
            "expand_to": ["ann@example.com", "bob@example.com"],
            "also_at": [],
        }
    ]
    said("alias", "ensure", "@example.org", "ann@example.com", "--inactive")
    assert said("alias", "list", "--domain", "example.org").splitlines()[1].split() == [
        "@example.org",
        "inactive",
        "ann@example.com",
    ]
    assert said("alias", "remove", "@example.org") == "@example.org: removed\n"
    assert not Alias.objects.exists()


def test_alias_ensure_makes_forwards_that_expire_and_say_what_for() -> None:
    a_mailbox()
    words = ["--keep-copy", "--expires", "2999-12-31", "--comment", "while away"]
    said("alias", "ensure", ANN, "bob@example.com", *words)
    (row,) = json.loads(said("alias", "list", "--json"))
    assert (row["forward"], row["keep_copy"], row["comment"]) == (True, True, "while away")
    assert row["expires_at"].startswith("2999-12-31T23:59:59")
    assert "active, keeps a copy, until 2999-12-31" in said("alias", "list")
    said("alias", "ensure", ANN, "bob@example.com", "--no-keep-copy", "--expires", "none")
    assert "until" not in said("alias", "list")
