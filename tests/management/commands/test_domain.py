"""`domain`: what it prints, changes and refuses."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from mailstore.models import Domain
from tests.management.command_runner import said
from tests.site.rows import a_domain, a_mailbox, a_message

pytestmark = pytest.mark.django_db


def test_domain_ensure_says_created_then_changed_then_unchanged() -> None:
    assert said("domain", "ensure", "Example.org") == "example.org: created\n"
    assert said("domain", "ensure", "example.org", "--max-mailboxes", "5", "--inactive") == (
        "example.org: changed\n  active: True -> False\n  mailbox limit: None -> 5\n"
    )
    assert said("domain", "ensure", "example.org", "--max-mailboxes", "5") == "example.org: unchanged\n"
    assert said("domain", "ensure", "example.org", "--max-mailboxes", "none").startswith("example.org: changed")


def test_domain_list_tells_use_and_limits() -> None:
    a_domain("empty.org", mailbox_limit=3)
    a_message(a_mailbox(), octets=2048)
    a_mailbox("bob@example.org")
    empty, used = json.loads(said("domain", "list", "--json"))
    assert (empty["name"], empty["mailboxes"], empty["max_mailboxes"], empty["octets"]) == ("empty.org", 0, 3, 0)
    assert (used["name"], used["mailboxes"], used["messages"], used["octets"]) == ("example.org", 2, 1, 2048)
    table = said("domain", "list").splitlines()
    assert table[0].split()[:3] == ["DOMAIN", "STATE", "MAILBOXES"]
    assert "2 of -" in table[2]
    assert "2 KB" in table[2]


def test_an_empty_list_is_still_json() -> None:
    assert json.loads(said("domain", "list", "--json")) == []


def test_a_domain_is_removed_with_a_word_for_its_mailboxes_listed_apart_restored_and_purged() -> None:
    a_message(a_mailbox(), octets=70)
    with pytest.raises(CommandError, match="still has 1 mailbox"):
        call_command("domain", "remove", "example.org")
    assert said("domain", "remove", "example.org", "--with-mailboxes") == (
        "example.org: removed, with 1 mailbox, 0 aliases, 1 message\n"
    )
    assert json.loads(said("domain", "list", "--json")) == []
    (row,) = json.loads(said("domain", "list", "--removed", "--json"))
    assert (row["name"], row["mailboxes"], row["octets"], row["removed_at"] is None) == (
        "example.org",
        1,
        70,
        False,
    )
    assert "removed, kept until 2" in said("domain", "list", "--removed")
    assert said("domain", "restore", "example.org").startswith("example.org: restored, with 1 mailbox,")
    said("domain", "remove", "example.org", "--with-mailboxes")
    purged = {"mailboxes": 1, "aliases": 0, "messages": 1, "octets": 70}
    assert json.loads(said("domain", "purge", "example.org", "--json")) == {
        "name": "example.org",
        "purged": True,
        **purged,
    }
    assert not Domain.objects.exists()


def test_domain_ensure_sets_what_mailboxes_may_have_and_what_it_stands_for() -> None:
    a_domain()
    words = ["--quota", "10GB", "--allotment", "20GB", "--mailbox-quota", "1GB", "--max-mailbox-quota", "2GB"]
    said("domain", "ensure", "example.org", *words, "--owner-forwards")
    said("domain", "ensure", "example.com", "--stands-for", "EXAMPLE.org")
    said("alias", "ensure", "@example.org", "bob@example.net")
    com, org = json.loads(said("domain", "list", "--json"))
    names = ("quota_octets", "allotment_octets", "mailbox_quota_octets", "max_mailbox_quota_octets", "owner_forwards")
    assert [org[name] for name in names] == [10 * 2**30, 20 * 2**30, 2**30, 2**31, True]
    assert (com["stands_for"], org["catch_all"]) == ("example.org", ["bob@example.net"])
    assert "active, alias of example.org" in said("domain", "list")
    said("domain", "ensure", "example.com", "--stands-for", "none")
    assert Domain.objects.get(name="example.com").stands_for is None


def test_rename_says_what_goes_along() -> None:
    a_mailbox("ann@example.org")
    told = said("domain", "rename", "example.org", "new.example", "--dry-run")
    assert told.startswith("example.org: would be renamed to new.example, with 1 mailbox, 0 aliases")
    assert not Domain.objects.filter(name="new.example").exists()
    done = json.loads(said("domain", "rename", "example.org", "new.example", "--json"))
    assert done == {"old": "example.org", "new": "new.example", "renamed": True, "mailboxes": 1, "aliases": 0}
    assert Domain.objects.get(name="example.org").stands_for == Domain.objects.get(name="new.example")


def test_a_dry_run_of_a_rename_lists_all_that_collides() -> None:
    for address in ("ann@example.org", "bob@example.org", "ann@new.example"):
        a_mailbox(address)
    rename = ("domain", "rename", "example.org", "new.example", "--dry-run")
    out = StringIO()
    with pytest.raises(CommandError, match="one by one") as refusal:
        call_command(*rename, stdout=out)
    assert refusal.value.returncode == 1
    assert out.getvalue().splitlines() == [
        "example.org: cannot be renamed to new.example, with 2 mailboxes, 0 aliases",
        "  ann@new.example collides: there is such a mailbox",
    ]
    out = StringIO()
    with pytest.raises(CommandError, match="one by one"):
        call_command(*rename, "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (told["renamed"], told["mailboxes"]) == (False, 2)
    assert told["refusal"].startswith("new.example is a domain of this site")
    collision = {"address": "ann@new.example", "reason": "mailbox", "holder": "ann@new.example"}
    assert told["collisions"] == [collision]
