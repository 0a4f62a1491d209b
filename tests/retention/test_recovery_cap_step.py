"""Recovery has a cap: above it what left first goes first, and nothing that left within a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.bodies.files import FileBodies
from mailstore.directory import mailboxes, policies
from mailstore.models import Mailbox, Message, RetentionPolicy
from mailstore.retention import forecast, recovery_terms, sweep
from mailstore.retention.recovery_cap_step import RECOVERY_CAP
from mailstore.retention.recovery_step import RECOVERY
from mailstore.sql.sweep_step import SweepContext
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.mail import assert_counters_are_sums
from tests.site.rows import ACTOR, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


@pytest.fixture
def store(tmp_path) -> FileBodies:
    made = FileBodies(tmp_path / "bodies")
    made.prepare()
    return made


def rests(*hours: float) -> list[Message]:
    box = Mailbox.objects.get()
    return [a_message(box, octets=100, removed_at=timezone.now() - timedelta(hours=ago)) for ago in hours]


@pytest.mark.parametrize(("cap", "kept"), [(250, 2), (200, 2), (199, 1), (0, 1), (300, 3)])
def test_what_left_first_goes_first_until_the_rest_fits(store: FileBodies, cap: int, kept: int) -> None:
    a_mailbox()
    RetentionPolicy.objects.create(name="site", site=True, recovery_octets=cap)
    rows = rests(72, 48, 1)
    assert sweep.preview(store).capped == 3 - kept
    assert sweep.run(store).capped == 3 - kept
    assert list(Message.objects.order_by("pk")) == rows[3 - kept :]
    assert_counters_are_sums()


def test_without_a_figure_in_the_policy_the_cap_is_the_quota(store: FileBodies) -> None:
    a_mailbox()
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=150)
    Mailbox.objects.update(quota_lowered_at=None)
    rests(72, 48)
    assert recovery_terms.terms(Mailbox.objects.get().pk).cap_octets == 150
    assert sweep.run(store).capped == 1


def lowered_by_the_policy() -> RetentionPolicy:
    policies.ensure("site", actor=ACTOR, site=True, recovery_octets=10**9, at_once=True)
    return policies.ensure("site", actor=ACTOR, recovery_octets=1).row


def lowered_to_the_quota() -> RetentionPolicy:
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=1)
    Mailbox.objects.update(quota_lowered_at=None)
    policies.ensure("site", actor=ACTOR, site=True, recovery_octets=10**9, at_once=True)
    return policies.ensure("site", actor=ACTOR, recovery_octets=None).row


def lowered_by_a_choice() -> RetentionPolicy:
    policy = policies.make("strict", actor=ACTOR, recovery_octets=1)
    mailboxes.ensure(ANN, actor=ACTOR, policy=policy)
    return policy


def lowered_with_the_quota() -> None:
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=10**9)
    Mailbox.objects.update(quota_lowered_at=None)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=1)


@pytest.mark.parametrize(
    "lower", [lowered_by_the_policy, lowered_to_the_quota, lowered_by_a_choice, lowered_with_the_quota]
)
def test_a_cap_that_was_lowered_destroys_nothing_for_a_week(lower: Callable[[], object]) -> None:
    store = EmptyBodyStore()
    a_mailbox()
    rests(72, 48)
    lower()
    assert sweep.preview(store).capped == 0
    assert sweep.run(store).capped == 0
    assert sweep.run(store, now=timezone.now() + timedelta(days=6.9)).capped == 0
    assert sweep.run(store, now=timezone.now() + timedelta(days=7.1)).capped == 2


def test_a_cap_that_is_lowered_at_once_is_foretold(store: FileBodies) -> None:
    a_mailbox()
    rests(72, 48)
    policy = policies.ensure("site", actor=ACTOR, site=True, recovery_octets=10**9, at_once=True).row

    plans = [policies.plan("site", recovery_octets=150, at_once=at_once) for at_once in (False, True)]
    losses = [forecast.of_policy(plan).destroyed for plan in plans]
    assert [(going.messages, going.octets) for going in losses] == [(0, 0), (1, 100)]
    box = Mailbox.objects.get()
    policies.ensure("site", actor=ACTOR, recovery_octets=1, at_once=True)
    assert forecast.of_choice([box.pk], policy).destroyed.messages == 0, "a choice waits too"
    policies.ensure("site", actor=ACTOR, recovery_octets=150, at_once=True)
    assert sweep.run(store).capped == 1


def test_without_policy_and_quota_there_is_no_cap(store: FileBodies) -> None:
    a_mailbox()
    rests(72, 48)
    assert sweep.run(store).capped == 0


def test_a_hold_has_no_cap(store: FileBodies) -> None:
    a_mailbox()
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=0, held=True)
    rests(72)
    assert sweep.run(store).capped == 0


@pytest.mark.parametrize("fields", [{"recovery_octets": 1}, {"recovery_days": 3}])
@pytest.mark.parametrize(("minutes", "left"), [(-1, 2), (1, 0)])
def test_a_change_can_be_undone_until_the_sweep_acts_on_it(
    store: FileBodies, minutes: int, left: int, fields: dict[str, int]
) -> None:
    a_mailbox()
    kept = {"recovery_days": 365, "recovery_octets": 10**9}
    former = policies.ensure("site", actor=ACTOR, site=True, at_once=True, **kept).row
    rests(24 * 300, 24 * 299)
    changed = policies.ensure("site", actor=ACTOR, **fields).row
    until = policies.undo_until(former, changed, saved_at=changed.saved_at)
    assert until is not None
    for step in (RECOVERY, RECOVERY_CAP):
        step.act(SweepContext(store, until + timedelta(minutes=minutes)))
    assert Message.objects.count() == left
