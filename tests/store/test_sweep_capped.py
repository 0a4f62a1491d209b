"""Recovery has a cap: above it what left first goes first, and nothing that left within a day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.bodies.files import FileBodies
from mailstore.models import Mailbox, Message, RetentionPolicy
from mailstore.store import mailboxes, resting, sweep
from tests.store.mail import assert_counters_are_sums
from tests.store.site import ACTOR, a_mailbox, a_message

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
    rests(72, 48)
    assert resting.terms(Mailbox.objects.get().pk).cap_octets == 150
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
