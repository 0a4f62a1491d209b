"""Deliveries and removals of a mailbox by time, and what waits for each device."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from mailstore.messages import mailbox_timeline, mailbox_usage, recovery
from mailstore.models import Mailbox, Message
from tests.owner.mail import a_device
from tests.site.rows import ACTOR, a_mailbox, a_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> Mailbox:
    return a_mailbox()


def ago(hours: float) -> datetime:
    return timezone.now() - timedelta(hours=hours)


def test_deliveries_come_latest_first_and_go_on_before_a_time(ann: Mailbox) -> None:
    for hours in (3, 1, 2):
        a_message(ann, octets=100 * hours, arrived_at=ago(hours))
    a_message(ann, octets=7, arrived_at=ago(4), removed_at=ago(1))
    rows = mailbox_timeline.deliveries(ann.pk, before=None, most=2)
    assert [row.octets for row in rows] == [100, 200]
    rows = mailbox_timeline.deliveries(ann.pk, before=rows[-1].at, most=9)
    assert [row.octets for row in rows] == [300, 7]


def test_imported_mail_was_not_delivered_and_restored_mail_was(ann: Mailbox) -> None:
    a_message(ann)
    Message.objects.update(aged_from=timezone.now())
    assert mailbox_timeline.deliveries(ann.pk, before=None, most=9) == []
    a_message(ann, octets=5, removed_at=ago(1))
    recovery.restore("ann@example.org", recovery.ALL, actor=ACTOR)
    assert [row.octets for row in mailbox_timeline.deliveries(ann.pk, before=None, most=9)] == [5]


def test_what_left_at_once_for_one_reason_is_one_removal_and_says_what_still_rests(ann: Mailbox) -> None:
    at = ago(1)
    for octets in (10, 20):
        a_message(ann, octets=octets, removed_at=at)
    phone = a_device(ann, "Phone")
    Message.objects.update(removed_by=phone)
    (removal,) = mailbox_timeline.removals(ann.pk, before=None, most=9)
    assert (removal.messages, removal.octets, removal.resting, removal.device_name) == (2, 30, 2, "Phone")
    recovery.restore("ann@example.org", recovery.Choice(newest=1), actor=ACTOR)
    (removal,) = mailbox_timeline.removals(ann.pk, before=None, most=9)
    assert (removal.messages, removal.resting) == (2, 1)
    assert mailbox_timeline.removals(ann.pk, before=at, most=9) == []


def test_what_people_remove_is_left_to_the_audit(ann: Mailbox) -> None:
    message = a_message(ann)
    recovery.remove("ann@example.org", [message.pk], actor=ACTOR)
    assert mailbox_timeline.removals(ann.pk, before=None, most=9) == []


def test_the_last_arrival_is_that_of_all_stored_mail(ann: Mailbox) -> None:
    assert mailbox_usage.split(ann.pk).last_arrival_at is None
    last = a_message(ann, arrived_at=ago(1), removed_at=ago(0.5))
    a_message(ann, arrived_at=ago(2))
    assert mailbox_usage.split(ann.pk).last_arrival_at == last.arrived_at
