"""Retention policies as named things: what is allowed, whose turn it is as the site's, clocks, and who holds one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from mailstore.directory import domains, mailboxes, policies
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, Mailbox, Message, RetentionPolicy
from mailstore.retention import recovery_step
from tests.site.rows import ACTOR, a_domain, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


def a_policy(name: str = "short", **fields: object) -> RetentionPolicy:
    return policies.ensure(name, actor=ACTOR, **fields).row


def test_making_twice_changes_nothing_and_leaves_one_entry() -> None:
    assert policies.ensure("short", actor=ACTOR, expire_days=30).created
    again = policies.ensure(" short ", actor=ACTOR, expire_days=30)
    assert (again.created, again.changes) == (False, {})
    assert [(entry.verb, entry.subject) for entry in AuditEntry.objects.all()] == [("policy.create", "short")]


@pytest.mark.parametrize(
    "fields", [{"expire_days": 0}, {"expire_confirmed_days": 0}, {"silent_days": 0}, {"hold_days": -1},
               {"recovery_days": 36_501}, {"relief": "always"}, {"recovery_octets": -1}],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_is_left(fields: dict[str, object]) -> None:
    with pytest.raises(Rejected):
        policies.ensure("short", actor=ACTOR, **fields)
    assert not RetentionPolicy.objects.exists()


@pytest.mark.parametrize("name", ["none", " NONE "])
def test_the_word_for_no_policy_is_no_name_of_one(name: str) -> None:
    with pytest.raises(Rejected, match="means that there is no policy"):
        policies.make(name, actor=ACTOR)


def test_the_sites_place_is_taken_over() -> None:
    first = a_policy("first", site=True)
    second = a_policy("second", site=True)
    first.refresh_from_db()
    assert (first.site, second.site) == (False, True)


def test_a_new_rule_spares_what_is_there_unless_asked_otherwise() -> None:
    policy = a_policy(expire_days=30)
    assert policy.expire_since is None, "nobody has followed it before it was made"
    before = timezone.now()
    policy = a_policy(expire_days=20)
    assert policy.expire_since is not None
    assert policy.expire_since >= before
    kept = policy.expire_since
    assert a_policy(expire_days=40).expire_since == kept, "a longer rule takes nothing sooner"
    assert policies.ensure("short", actor=ACTOR, at_once=True, expire_days=10).row.expire_since is None


def test_who_becomes_the_sites_spares_what_is_there_too() -> None:
    assert a_policy("first", site=True, expire_days=1).site_since is not None
    assert policies.ensure("second", actor=ACTOR, site=True, at_once=True).row.site_since is None


@pytest.mark.parametrize("at_once", [False, True])
def test_choosing_a_policy_starts_its_clock_there(at_once: bool) -> None:
    a_mailbox()
    policy = a_policy(expire_days=30)
    domain = domains.ensure("example.org", actor=ACTOR, policy=policy, policy_at_once=at_once).row
    box = mailboxes.ensure(ANN, actor=ACTOR, policy=policy, policy_at_once=at_once).row
    assert [row.policy_since is None for row in (domain, box)] == [at_once, at_once]
    before = box.policy_since
    assert mailboxes.ensure(ANN, actor=ACTOR, policy=policy).row.policy_since == before, "the same choice is no choice"
    assert mailboxes.ensure(ANN, actor=ACTOR, policy=None).row.policy_since is not None, "falling back is one"


def test_a_second_editor_is_told() -> None:
    policy = a_policy()
    policies.change(policy.pk, actor=ACTOR, seen=policy.saved_at, expire_days=9)
    with pytest.raises(Rejected, match="in the meantime"):
        policies.change(policy.pk, actor=ACTOR, seen=policy.saved_at, expire_days=8)
    with pytest.raises(Rejected, match="in the meantime"):
        policies.change(policy.pk, actor=ACTOR, seen=policy.saved_at - timedelta(days=1), expire_days=8)


def test_a_name_is_had_once() -> None:
    a_policy("first")
    second = a_policy("second")
    with pytest.raises(Rejected, match="with this name"):
        policies.change(second.pk, actor=ACTOR, seen=second.saved_at, name="first")


def test_one_that_is_followed_stays_and_says_by_whom() -> None:
    policy = a_policy()
    a_domain("b.example", policy=policy)
    a_mailbox()
    mailboxes.ensure(ANN, actor=ACTOR, policy=policy)
    with pytest.raises(Rejected, match=r"in 2 places, among them b\.example, ann@example\.org"):
        policies.remove(policy.pk, actor=ACTOR)
    domains.ensure("b.example", actor=ACTOR, policy=None)
    mailboxes.ensure(ANN, actor=ACTOR, policy=None)
    policies.remove(policy.pk, actor=ACTOR)
    assert not RetentionPolicy.objects.exists()
    with pytest.raises(Rejected, match="no longer exists"):
        policies.remove(policy.pk, actor=ACTOR)


@pytest.mark.parametrize("by", ["removal", "a change", "the shell"])
def test_the_sites_policy_keeps_its_place_until_another_takes_it_so_that_no_recovery_is_cut_short(by: str) -> None:
    first = a_policy("first", site=True, recovery_days=365)
    box = a_mailbox()
    message = a_message(box, arrived_at=timezone.now() - timedelta(days=70))
    Message.objects.filter(pk=message.pk).update(
        removed=1000, removed_at=timezone.now() - timedelta(days=60), removed_why="expired"
    )
    Mailbox.objects.update(recovery_messages=1)
    leaves = {
        "removal": lambda: policies.remove(first.pk, actor=ACTOR),
        "a change": lambda: policies.change(first.pk, actor=ACTOR, seen=first.saved_at, site=False),
        "the shell": lambda: policies.ensure("first", actor=ACTOR, site=False),
    }
    with pytest.raises(Rejected, match="make another policy the site policy first"):
        leaves[by]()
    assert _destroyed_next() == 0
    a_policy("second", site=True, recovery_days=30)
    assert _destroyed_next() == 0, "the new one waits"
    first.refresh_from_db()
    leaves[by]()
    assert not RetentionPolicy.objects.filter(name="first", site=True).exists()


def _destroyed_next() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {recovery_step.due('true')}", {"now": timezone.now()})
        return cursor.fetchone()[0]


def test_at_once_ends_the_waits_of_before() -> None:
    a_mailbox()
    policy = a_policy(site=True, expire_days=30)
    domains.ensure("example.org", actor=ACTOR, policy=policy)
    a_policy(expire_days=20)
    done = policies.ensure("short", actor=ACTOR, at_once=True, expire_days=20)
    assert {*done.changes} == {"expire_since", "site_since", "policy_since"}
    assert (done.row.expire_since, done.row.site_since) == (None, None)
    assert domains.get("example.org").policy_since is None
    assert policies.ensure("short", actor=ACTOR, at_once=True, expire_days=20).changes == {}
