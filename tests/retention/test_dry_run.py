"""A dry run counts what the pass then does, also if one step changes the result of the next. It changes nothing."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.utils import timezone

from mailstore.directory import devices, mailboxes, policies
from mailstore.models import Device, Mailbox, Message
from mailstore.retention import forecast, sweep
from tests.messages.test_mailbox_usage import has, signed_in
from tests.site.mail import assert_counters_are_sums
from tests.site.notices import Notices
from tests.site.rows import ACTOR, a_mailbox, a_message
from tests.site.worker import conninfo

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.org"
NOW = timezone.now()


def following(rules: dict[str, object], **fields: object) -> Mailbox:
    a_mailbox()
    policy = policies.ensure("rules", actor=ACTOR, at_once=True, **rules).row
    return mailboxes.ensure(ANN, actor=ACTOR, policy=policy, policy_at_once=True, **fields).row


def fetched(box: Mailbox, days_ago: float, *, messages: int = 5, octets: int = 1000) -> None:
    """So many messages of that age, which the main device has, beside what it had before."""
    for _ in range(messages):
        a_message(box, octets=octets, arrived_at=NOW - timedelta(days=days_ago))
    has(signed_in(box), *Message.objects.filter(removed=None))


def preview_and_run(letters: Notices) -> sweep.SweepResult:
    before = (
        list(Message.objects.order_by("pk").values()),
        list(Mailbox.objects.values()),
        list(Device.objects.values()),
    )
    preview = sweep.preview(letters.store, now=NOW)
    assert before == (
        list(Message.objects.order_by("pk").values()),
        list(Mailbox.objects.values()),
        list(Device.objects.values()),
    )
    done = sweep.run(letters.store, now=NOW)
    assert preview == done
    assert_counters_are_sums()
    return done


def test_what_expires_need_not_be_relieved(letters: Notices) -> None:
    box = following({"expire_days": 30, "relief": "every"})
    fetched(box, 31, messages=3)
    fetched(box, 5)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=5000)
    done = preview_and_run(letters)
    assert (done.expired, done.relieved) == (3, 1), "without what expired, the oldest of the rest"


def test_what_expires_fills_recovery_above_its_cap(letters: Notices) -> None:
    box = following({"expire_days": 30, "recovery_octets": 3000})
    a_message(box, octets=1000, removed_at=NOW - timedelta(days=2))
    fetched(box, 31, messages=3)
    done = preview_and_run(letters)
    assert (done.expired, done.capped) == (3, 1)


def test_what_is_relieved_does_too(letters: Notices) -> None:
    box = following({"relief": "every", "recovery_octets": 1000})
    a_message(box, octets=1000, removed_at=NOW - timedelta(days=2))
    fetched(box, 5)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=5000)
    Mailbox.objects.update(quota_lowered_at=None)
    done = preview_and_run(letters)
    assert (done.relieved, done.capped) == (1, 1)


def test_who_has_room_once_mail_expires_is_not_warned(letters: Notices) -> None:
    box = following({"expire_days": 30}, quota_octets=10_000)
    fetched(box, 31, messages=3)
    fetched(box, 5, messages=6)
    assert preview_and_run(letters).warned == 0


def test_a_device_that_falls_silent_is_waited_for_no_more_by_the_steps_behind(letters: Notices) -> None:
    box = following({"remove_when_confirmed": True, "hold_days": 3, "silent_days": 10})
    phone, _secret = devices.add(ANN, "Phone", actor=ACTOR)
    long_ago = NOW - timedelta(days=20)
    Device.objects.filter(pk=phone.pk).update(last_sign_in_at=long_ago, silence_notified_at=long_ago)
    fetched(box, 5)
    done = preview_and_run(letters)
    assert (done.silenced, done.expired) == (1, 5)


def test_a_dry_run_waits_for_nobody_and_nobody_for_it(letters: Notices) -> None:
    box = following({"expire_days": 30, "relief": "every", "recovery_octets": 2000, "silent_days": 10})
    phone, _secret = devices.add(ANN, "Phone", actor=ACTOR)
    long_ago = NOW - timedelta(days=20)
    Device.objects.filter(pk=phone.pk).update(last_sign_in_at=long_ago, silence_notified_at=long_ago)
    a_message(box, octets=1000, removed_at=NOW - timedelta(days=2))
    fetched(box, 31, messages=3)
    fetched(box, 5)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=5000)
    Mailbox.objects.update(quota_lowered_at=None)
    with psycopg.connect(conninfo()) as other:
        for table in ("mailbox", "device", "message", "body"):
            other.execute(f"SELECT FROM mailstore_{table} FOR UPDATE".encode())
        preview = sweep.preview(letters.store, now=NOW)
    assert preview == sweep.run(letters.store, now=NOW)
    assert (preview.silenced, preview.expired, preview.relieved, preview.capped) == (1, 3, 1, 1)


def test_a_dry_run_behind_another_is_the_same(letters: Notices) -> None:
    """Its copies are gone, and statements that were planned for them are planned anew."""
    box = following({"relief": "every"})
    fetched(box, 5)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=5000)
    first = sweep.preview(letters.store, now=NOW)
    assert first.relieved > 0
    assert first == sweep.preview(letters.store, now=NOW) == preview_and_run(letters)
    assert Message.objects.filter(removed_why="relief").count() == first.relieved


def test_a_forecast_tells_what_full_mailboxes_let_go_and_the_sweep_does_the_same(letters: Notices) -> None:
    box = following({"relief": "never", "expire_days": 30})
    fetched(box, 31, messages=2)
    fetched(box, 5, messages=8)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=5000)
    outcome = forecast.of_policy(policies.plan("rules", relief="every"), now=NOW)
    assert Message.objects.filter(removed=None).count() == 10
    policies.ensure("rules", actor=ACTOR, relief="every")
    done = preview_and_run(letters)
    assert outcome.relieved is not None
    assert (outcome.relieved.messages, outcome.relieved.octets) == (done.relieved, done.relieved_octets)
    assert done.relieved > 0
    assert outcome.relieved.mailboxes == 1


def test_a_forecast_holds_nobody_up_for_large_mailboxes(letters: Notices, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched(following({"relief": "every"}), 5, messages=8)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=5000)
    monkeypatch.setattr(forecast, "COPIED_MOST", 7)
    assert forecast.of_policy(policies.plan("rules", hold_days=8), now=NOW).relieved is None
