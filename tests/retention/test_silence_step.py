"""A silent device stops counting: its owner gets a mail some days before, and a sign-in makes it count again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from mailstore.delivery import notices
from mailstore.delivery.delivery import StoredDelivery
from mailstore.delivery.notices import Notice
from mailstore.directory import devices, mailboxes, policies
from mailstore.errors import MailError, TryAgain, Unavailable
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.models import Device, Mailbox, Message
from mailstore.retention.silence_notice_step import SILENCE_NOTICE
from mailstore.retention.silence_step import SILENCE
from mailstore.sql.device_settlement import SETTLE
from mailstore.sql.sweep_step import SweepContext
from tests.site.mail import assert_counters_are_sums
from tests.site.notices import Notices
from tests.site.rows import ACTOR, a_mailbox, a_message
from tests.site.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.org"
NOW = timezone.now().replace(hour=9)


def phone_of(box: Mailbox, *, heard_days_ago: float) -> Device:
    phone, _secret = devices.add(ANN, "Phone", actor=ACTOR)
    heard(phone, NOW - timedelta(days=heard_days_ago))
    return phone


def heard(device: Device, at: datetime) -> None:
    Device.objects.filter(pk=device.pk).update(last_sign_in_at=at)


def swept(letters: Notices, days: float) -> int:
    context = SweepContext(letters.store, NOW + timedelta(days=days))
    SILENCE_NOTICE.act(context)
    return SILENCE.act(context)[0]


def test_a_mail_comes_first_and_days_before(letters: Notices) -> None:
    phone_of(a_mailbox(), heard_days_ago=0)
    assert (swept(letters, 37.9), letters.subjects(ANN)) == (0, [])
    assert (swept(letters, 38.1), letters.subjects(ANN)) == (0, ["Mail will no longer wait for the device “Phone”"])
    assert (swept(letters, 44.9), swept(letters, 45.2)) == (0, 1)
    assert (swept(letters, 99), len(letters.subjects(ANN))) == (0, 1)


@pytest.mark.parametrize("answer", [Unavailable("the connection broke"), TryAgain("a lock")])
def test_a_notice_whose_answer_was_lost_keeps_its_body(
    letters: Notices, monkeypatch: pytest.MonkeyPatch, answer: MailError
) -> None:
    phone_of(a_mailbox(), heard_days_ago=0)
    place = StoredDelivery.place
    monkeypatch.setattr(
        StoredDelivery, "place", lambda self, placement, done: place(self, placement, lambda _answer: done(answer))
    )
    swept(letters, 38.1)
    monkeypatch.undo()
    assert letters.subjects(ANN) == ["Mail will no longer wait for the device “Phone”"]
    swept(letters, 38.2)
    assert len(letters.subjects(ANN)) == 1


def test_a_silence_of_one_day_is_told_a_day_before_it_is_the_end(letters: Notices) -> None:
    a_mailbox()
    policies.ensure("strict", actor=ACTOR, site=True, silent_days=1)
    phone_of(Mailbox.objects.get(), heard_days_ago=40)
    assert (swept(letters, 0), len(letters.subjects(ANN))) == (0, 1)
    assert (swept(letters, 0.9), swept(letters, 1.1)) == (0, 1)


def test_a_kill_before_the_note_tells_nobody_twice(letters: Notices) -> None:
    phone = phone_of(a_mailbox(), heard_days_ago=0)
    swept(letters, 38.1)
    Device.objects.update(silence_notified_at=None)
    swept(letters, 38.2)
    assert len(letters.subjects(ANN)) == 1
    phone.refresh_from_db()
    assert phone.silence_notified_at is not None
    heard(phone, NOW + timedelta(days=39))
    Device.objects.update(silence_notified_at=None)
    swept(letters, 39 + 38.1)
    assert len(letters.subjects(ANN)) == 2, "another silence"


@pytest.mark.parametrize("before", [timedelta(days=400), None])
def test_one_that_signs_in_while_it_is_told_is_not_noted(
    letters: Notices, monkeypatch: pytest.MonkeyPatch, before: timedelta | None
) -> None:
    phone = phone_of(a_mailbox(), heard_days_ago=400)
    Device.objects.update(created_at=NOW - timedelta(days=400))
    Device.objects.filter(pk=phone.pk).update(last_sign_in_at=before and NOW - before)
    deliver = notices.deliver

    def meanwhile(mails: list[Notice], *, now: datetime) -> list[Notice]:
        heard(phone, NOW)
        return deliver(mails, now=now)

    monkeypatch.setattr(notices, "deliver", meanwhile)
    swept(letters, 0)
    assert len(letters.subjects(ANN)) == 1
    assert Device.objects.get(pk=phone.pk).silence_notified_at is None
    monkeypatch.undo()
    assert (swept(letters, 38.1), len(letters.subjects(ANN))) == (0, 2), "the next silence is told in time"


def test_where_no_sweep_ran_for_long_the_notice_is_not_shorter(letters: Notices) -> None:
    phone_of(a_mailbox(), heard_days_ago=400)
    assert (swept(letters, 0), swept(letters, 6.9), swept(letters, 7)) == (0, 0, 1)


def test_the_policy_says_how_many_days(letters: Notices) -> None:
    box = a_mailbox()
    policy = policies.ensure("rules", actor=ACTOR, silent_days=10).row
    mailboxes.ensure(ANN, actor=ACTOR, policy=policy)
    phone_of(box, heard_days_ago=0)
    assert (swept(letters, 5.1), swept(letters, 9.9), swept(letters, 10.2)) == (0, 0, 1)


@pytest.mark.parametrize("state", ["peeking", "held", "revoked", "main, never heard of"])
def test_who_does_not_count_is_not_written_of(letters: Notices, state: str) -> None:
    phone = phone_of(a_mailbox(), heard_days_ago=100)
    if state == "peeking":
        Device.objects.filter(pk=phone.pk).update(mode="peek")
    elif state == "held":
        mailboxes.ensure(ANN, actor=ACTOR, held=True)
    else:
        devices.revoke(ANN, "Phone", actor=ACTOR)
    assert (swept(letters, 0), swept(letters, 9), letters.to(ANN)) == (0, 0, [])


def test_what_waited_for_it_alone_goes_to_recovery(letters: Notices) -> None:
    box = a_mailbox()
    message = a_message(box)
    phone_of(box, heard_days_ago=400)
    main = Device.objects.get(main=True)
    heard(main, NOW)
    ranges = f"{{[{message.added},{message.added + 1})}}"
    Device.objects.filter(pk=main.pk).update(hidden=ranges, hidden_messages=1, hidden_octets=message.octets)
    swept(letters, 0)
    assert Message.objects.get(pk=message.pk).removed is None
    assert swept(letters, 8) == 1
    assert SETTLE.act(SweepContext(letters.store, NOW + timedelta(days=8))) == (1,)
    assert Message.objects.get(pk=message.pk).removed_why == "settled"
    assert_counters_are_sums()


def test_one_that_signs_in_counts_again_and_its_days_begin_anew(
    letters: Notices, worker: Worker, last_sign_ins: LastSignIns
) -> None:
    phone = phone_of(a_mailbox(), heard_days_ago=400)
    swept(letters, 0)
    assert swept(letters, 8) == 1
    last_sign_ins.add(phone.pk, "192.0.2.7")
    last_sign_ins.flush()
    worker.until(lambda: Device.objects.get(pk=phone.pk).silent_since is None, "it counts again")
    assert Device.objects.get(pk=phone.pk).silence_notified_at is None
    assert swept(letters, 9) == 0
