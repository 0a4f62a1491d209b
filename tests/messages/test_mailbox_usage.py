"""The parts of a mailbox's usage: mail that waits for a device, mail that all devices have, and recovery."""

from __future__ import annotations

import pytest
from django.utils import timezone

from mailstore.directory import devices
from mailstore.messages import mailbox_usage
from mailstore.messages.mailbox_usage import Part
from mailstore.models import Device, Mailbox, Message
from tests.site.rows import ACTOR, a_mailbox, a_message

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


def has(device: Device, *messages: Message) -> None:
    ranges = ",".join(f"[{message.added},{message.added + 1})" for message in messages)
    Device.objects.filter(pk=device.pk).update(confirmed=f"{{{ranges}}}")


def parts(mailbox: Mailbox) -> tuple[Part, Part, Part]:
    split = mailbox_usage.split(mailbox.pk)
    return split.waiting, split.kept, split.recovery


def signed_in(mailbox: Mailbox) -> Device:
    main = Device.objects.get(mailbox=mailbox, main=True)
    Device.objects.filter(pk=main.pk).update(last_sign_in_at=timezone.now())
    return main


def test_mail_of_nobody_who_counts_waits() -> None:
    box = a_mailbox()
    a_message(box, octets=10)
    a_message(box, octets=7, removed_at=timezone.now())
    assert parts(box) == (Part(1, 10), Part(0, 0), Part(1, 7))


def test_mail_waits_until_every_counting_device_has_it() -> None:
    box = a_mailbox()
    first, second = a_message(box, octets=10), a_message(box, octets=20)
    main = signed_in(box)
    phone, _secret = devices.add(ANN, "Phone", actor=ACTOR)
    has(main, first, second)
    assert mailbox_usage.split(box.pk).waiting == Part(2, 30)
    has(phone, second)
    assert parts(box) == (Part(1, 10), Part(1, 20), Part(0, 0))


def test_what_a_start_left_out_waits_for_nobody_but_was_had_by_nobody_either() -> None:
    box = a_mailbox()
    a_message(box, octets=10)
    devices.add(ANN, "Phone", actor=ACTOR, start="now")
    assert mailbox_usage.split(box.pk).waiting == Part(1, 10), "the only device that counts has never seen it"
    has(signed_in(box), Message.objects.get())
    assert mailbox_usage.split(box.pk).kept == Part(1, 10)


def test_a_silent_or_peeking_device_is_not_waited_for() -> None:
    box = a_mailbox()
    message = a_message(box, octets=10)
    has(signed_in(box), message)
    phone, _secret = devices.add(ANN, "Phone", actor=ACTOR)
    devices.add(ANN, "Viewer", actor=ACTOR, mode="peek")
    assert mailbox_usage.split(box.pk).waiting == Part(1, 10)
    Device.objects.filter(pk=phone.pk).update(silent_since=timezone.now())
    assert mailbox_usage.split(box.pk).kept == Part(1, 10)
