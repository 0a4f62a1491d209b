"""`policy`, and `--policy` of domains and mailboxes: what they print, what a dry run tells, what is refused."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from mailstore.directory import mailboxes
from mailstore.models import Domain, Mailbox, RetentionPolicy
from tests.management.command_runner import said
from tests.messages.test_mailbox_usage import has, signed_in
from tests.site.rows import ACTOR, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


def test_ensure_says_created_then_changed_then_unchanged() -> None:
    assert said("policy", "ensure", "short", "--expire", "30").startswith("short: created\n")
    assert said("policy", "ensure", "short", "--expire", "20") == "short: changed\n  expire days: 30 -> 20\n"
    assert said("policy", "ensure", "short", "--expire", "20") == "short: unchanged\n"
    assert said("policy", "ensure", "short", "--expire", "none", "--relief", "one").startswith("short: changed")


def test_a_dry_run_tells_and_saves_nothing() -> None:
    box = a_mailbox()
    said("policy", "ensure", "short", "--site")
    has(signed_in(box), a_message(box, octets=100, arrived_at=timezone.now() - timedelta(days=50)))
    output = said("policy", "ensure", "short", "--expire", "30", "--at-once", "--dry-run")
    assert f"{timezone.now().date()}: removes 1 message, 100 bytes, in 1 mailbox\n" in output
    assert RetentionPolicy.objects.get().expire_days is None
    figures = json.loads(said("policy", "ensure", "short", "--expire", "30", "--dry-run", "--json"))
    assert figures["total"]["messages"] == 1, "from now on: in thirty days"
    assert json.loads(said("policy", "ensure", "short", "--expire", "31", "--dry-run", "--json"))["days"] == []


def test_list_and_show_tell_who_has_chosen_it() -> None:
    a_mailbox()
    said("policy", "ensure", "short", "--expire", "30", "--recovery-size", "1GB", "--site")
    said("domain", "ensure", "example.org", "--policy", "short")
    (row,) = json.loads(said("policy", "list", "--json"))
    assert (row["name"], row["domains"], row["mailboxes"], row["expire_days"]) == ("short", 1, 0, 30)
    assert "short (site)  30 d" in said("policy", "list")
    assert "recovery octets: 1073741824\n" in said("policy", "show", "short")


def test_domains_and_mailboxes_choose_one_from_now_on_or_at_once() -> None:
    a_mailbox()
    said("policy", "ensure", "short")
    said("domain", "ensure", "example.org", "--policy", "short")
    said("mailbox", "ensure", ANN, "--policy", "short", "--policy-at-once")
    assert Domain.objects.get().policy_since is not None
    assert Mailbox.objects.get().policy_since is None
    assert json.loads(said("mailbox", "show", ANN, "--json"))["policy"] == "short"
    assert json.loads(said("domain", "show", "example.org", "--json"))["policy"] == "short"
    said("mailbox", "ensure", ANN, "--policy", "none")
    assert Mailbox.objects.get().policy is None


@pytest.mark.parametrize(
    "words", [("policy", "ensure", "short", "--expire", "0"), ("policy", "show", "none"), ("policy", "remove", "none"),
              ("domain", "ensure", "example.org", "--policy", "none such")],
)  # fmt: skip
def test_what_cannot_be_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command(*words)


def test_one_that_is_followed_is_not_removed() -> None:
    a_mailbox()
    said("policy", "ensure", "short")
    mailboxes.ensure(ANN, actor=ACTOR, policy=RetentionPolicy.objects.get())
    with pytest.raises(CommandError, match="still used"):
        call_command("policy", "remove", "short")
    mailboxes.ensure(ANN, actor=ACTOR, policy=None)
    assert said("policy", "remove", "short") == "short: removed\n"
