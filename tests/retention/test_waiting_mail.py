"""What waits for each device, for the start page of an owner: how much, whether it counts, and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.directory import devices, mailboxes, policies
from mailstore.models import Device, Mailbox, Message
from mailstore.retention.waiting_mail import Waiting, of, with_waiting
from tests.site.rows import ACTOR, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


@pytest.fixture
def box() -> Mailbox:
    """Four live messages, whose arrivals are the numbers 1 to 4, and the devices main and Phone."""
    box = a_mailbox()
    for _ in range(4):
        a_message(box)
    devices.add(ANN, "Phone", actor=ACTOR)
    return box


def phone(box: Mailbox, **fields: object) -> Waiting:
    device = Device.objects.get(mailbox=box, name="Phone")
    Device.objects.filter(pk=device.pk).update(**fields)
    return waiting(device)


def waiting(device: Device) -> Waiting:
    return of(with_waiting(Device.objects.all()).get(pk=device.pk))


def test_what_a_device_neither_has_nor_left_out_waits_for_it(box: Mailbox) -> None:
    added = list(Message.objects.order_by("added").values_list("added", flat=True))
    assert phone(box).messages == 4
    assert phone(box, confirmed=f"{{[{added[0]},{added[1]}]}}").messages == 2
    assert phone(box, hidden=f"{{[{added[3]},{added[3]}]}}").messages == 1


def test_what_left_the_mailbox_waits_no_more(box: Mailbox) -> None:
    one = Message.objects.order_by("added")[0]
    Message.objects.filter(pk=one.pk).update(removed=one.added + 90, removed_at=timezone.now())
    assert phone(box).messages == 3


def test_mail_waits_for_devices_that_count(box: Mailbox) -> None:
    main = Device.objects.get(mailbox=box, main=True)
    assert not waiting(main).counts, "it never signed in to POP"
    assert phone(box).counts
    assert not phone(box, mode=Device.Mode.PEEK).counts


def test_it_waits_until_the_days_of_silence_are_over(box: Mailbox) -> None:
    now = timezone.now()
    waiting = phone(box, last_sign_in_at=now - timedelta(days=10))
    assert (waiting.quiet, waiting.until) == (False, now + timedelta(days=35))
    waiting = phone(box, last_sign_in_at=now - timedelta(days=40))
    assert waiting.quiet
    assert waiting.until is not None, "a notice comes first"
    assert waiting.until >= now + timedelta(days=7)
    assert phone(box, silence_notified_at=now - timedelta(days=6)).until == now + timedelta(days=5)


def test_the_days_are_those_of_the_policy_and_a_hold_ends_the_clock(box: Mailbox) -> None:
    now = timezone.now()
    mailboxes.ensure(ANN, actor=ACTOR, policy=policies.ensure("Short", actor=ACTOR, silent_days=20).row)
    assert phone(box, last_sign_in_at=now - timedelta(days=1)).until == now + timedelta(days=19)
    mailboxes.ensure(ANN, actor=ACTOR, held=True)
    assert phone(box).until is None
