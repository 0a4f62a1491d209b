"""Recovery: a restore brings messages back whole, once, and for the devices that were chosen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.directory import devices, mailbox_removal, mailboxes
from mailstore.directory.outcome import Rejected
from mailstore.integrity import row_checks
from mailstore.messages import recovery
from mailstore.messages.recovery import ALL, Choice
from mailstore.models import AuditEntry, Device, EarlierStay, Mailbox, Message
from mailstore.policy import sortable_ids
from mailstore.ports import Delivered
from tests.site.mail import Mail, assert_counters_are_sums
from tests.site.rows import ACTOR, PASSWORD, a_mailbox, a_message, at_once

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


def deliver(mail: Mail, *subjects: str) -> list[str]:
    """Deliver a message a subject; return their UIDLs."""
    uidls = []
    for subject in subjects:
        outcome = mail.deliver(ANN, f"Subject: {subject}\r\n\r\n..a dot, and {subject}\r\n".encode())
        assert isinstance(outcome, Delivered)
        uidls.append(outcome.queue_id)
    return uidls


def drain(mail: Mail, secret: str = PASSWORD) -> None:
    drop = mail.open(ANN, secret)
    assert mail.remove(drop, *range(1, drop.messages + 1)) == drop.messages


def rests(**left: float) -> Message:
    return a_message(Mailbox.objects.get(), removed_at=timezone.now() - timedelta(**left))


# --- coming back ------------------------------------------------------------------------------------------------------


def test_what_was_deleted_comes_back_octet_for_octet_in_its_order_with_its_uidl(mail: Mail) -> None:
    a_mailbox()
    uidls = deliver(mail, "one", "two", "three")
    before = [mail.read(mail.open(ANN), number) for number in (1, 2, 3)]
    drain(mail)
    box = Mailbox.objects.get()
    assert (box.messages, box.recovery_messages) == (0, 3)
    done = recovery.restore(ANN, ALL, actor=ACTOR)
    assert (done.messages, done.octets, done.above_quota) == (3, sum(map(len, before)), False)
    drop = mail.open(ANN)
    assert mail.uidls(drop) == uidls
    assert [mail.read(drop, number) for number in (1, 2, 3)] == before
    assert_counters_are_sums()
    assert list(row_checks.wrong_counters()) == []


def test_sent_again_it_has_a_new_uidl_that_nothing_ever_had(mail: Mail) -> None:
    a_mailbox()
    uidls = deliver(mail, "one", "two")
    drain(mail)
    recovery.restore(ANN, ALL, actor=ACTOR, new_uidls=True)
    fresh = mail.uidls(mail.open(ANN))
    assert len(set(fresh)) == 2
    assert not set(fresh) & set(uidls)
    assert all(sortable_ids.is_id(uidl) for uidl in fresh)


def test_a_restored_message_is_new_to_every_device_whatever_they_did_with_it_before(mail: Mail) -> None:
    a_mailbox()
    secret = devices.add(ANN, "phone", actor=ACTOR)[1]
    (uidl,) = deliver(mail, "one")
    mail.open(ANN)  # the main password counts from now on
    Device.objects.filter(main=True).update(last_sign_in_at=timezone.now())
    drain(mail)
    drain(mail, secret)
    assert Message.objects.get().removed_why == Message.Why.EVERY_DEVICE
    recovery.restore(ANN, ALL, actor=ACTOR)
    for each in (PASSWORD, secret):
        assert mail.uidls(mail.open(ANN, each)) == [uidl]
    assert_counters_are_sums()


def test_restored_for_one_device_the_others_do_not_see_it_and_do_not_wait_for_it(mail: Mail) -> None:
    a_mailbox()
    phone, tablet = (devices.add(ANN, name, actor=ACTOR)[1] for name in ("phone", "tablet"))
    (uidl,) = deliver(mail, "one")
    devices_now = Device.objects.filter(main=True)
    devices_now.update(mode=Device.Mode.PRIMARY, last_sign_in_at=timezone.now())
    drain(mail)
    devices_now.update(mode=Device.Mode.INDEPENDENT)
    recovery.restore(ANN, ALL, actor=ACTOR, devices=["phone"])
    assert mail.uidls(mail.open(ANN, phone)) == [uidl]
    assert mail.uidls(mail.open(ANN, tablet)) == mail.uidls(mail.open(ANN)) == []
    assert_counters_are_sums()
    drain(mail, phone)
    assert Message.objects.get().removed_why == Message.Why.EVERY_DEVICE
    assert_counters_are_sums()


def test_a_device_that_is_not_there_is_refused_and_so_is_none_at_all() -> None:
    a_mailbox()
    rests(days=1)
    for names in (["phone"], []):
        with pytest.raises(Rejected):
            recovery.restore(ANN, ALL, actor=ACTOR, devices=names)
    assert Mailbox.objects.get().recovery_messages == 1


def test_an_old_uidl_that_another_message_has_by_now_gives_way() -> None:
    box = a_mailbox()
    resting, live = rests(days=1), a_message(box)
    Message.objects.update(uidl="the same")
    recovery.restore(ANN, ALL, actor=ACTOR)
    resting.refresh_from_db()
    live.refresh_from_db()
    assert live.uidl == "the same"
    assert sortable_ids.is_id(resting.uidl)


def test_a_restore_may_exceed_the_quota_and_says_so(mail: Mail) -> None:
    a_mailbox()
    deliver(mail, "one")
    drain(mail)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=10)
    assert recovery.restore(ANN, ALL, actor=ACTOR).above_quota
    assert not isinstance(mail.deliver(ANN), Delivered)
    assert_counters_are_sums()


@pytest.mark.parametrize(
    ("choice", "which"),
    [
        (lambda rows: ALL, [0, 1, 2]),
        (lambda rows: Choice(since=timezone.now() - timedelta(hours=30)), [1, 2]),
        (lambda rows: Choice(until=timezone.now() - timedelta(hours=30)), [0]),
        (lambda rows: Choice(newest=1), [2]),
        (lambda rows: Choice(until=timezone.now() - timedelta(hours=20), newest=1), [1]),
        (lambda rows: Choice(keys=[rows[0].pk, rows[2].pk]), [0, 2]),
    ],
    ids=["all", "since", "until", "the newest", "the newest until", "by key"],
)
def test_the_choice_is_restored_and_nothing_else(choice, which) -> None:
    a_mailbox()
    rows = [rests(hours=48), rests(hours=24), rests(hours=1)]
    recovery.restore(ANN, choice(rows), actor=ACTOR)
    live = Message.objects.filter(removed=None).values_list("pk", flat=True)
    assert set(live) == {rows[at].pk for at in which}
    assert_counters_are_sums()


def test_anothers_messages_are_never_reached_by_key() -> None:
    a_mailbox()
    a_mailbox("bob@example.org")
    theirs = a_message(Mailbox.objects.get(user__address="bob@example.org"), removed_at=timezone.now())
    for act in (recovery.restore, recovery.purge_now):
        with pytest.raises(Rejected):
            act(ANN, Choice(keys=[theirs.pk]), actor=ACTOR)
    theirs.refresh_from_db()
    assert theirs.removed is not None


def test_a_live_message_is_never_purged_by_key() -> None:
    live = a_message(a_mailbox())
    with pytest.raises(Rejected):
        recovery.purge_now(ANN, Choice(keys=[live.pk]), actor=ACTOR)


def test_a_removed_mailbox_is_restored_first() -> None:
    a_mailbox()
    rests(days=1)
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    with pytest.raises(Rejected):
        recovery.restore(ANN, ALL, actor=ACTOR)


# --- sessions that were open ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hides", [False, True], ids=["a view that hides nothing", "a view that hides some"])
@pytest.mark.parametrize("again", [False, True], ids=["old UIDL", "sent again"])
def test_a_session_sees_what_was_there_when_it_opened_though_it_left_and_came_back(mail: Mail, hides, again) -> None:
    a_mailbox()
    phone = devices.add(ANN, "phone", actor=ACTOR, mode="peek")[1]
    uidls = deliver(mail, "one", "two", "three")
    if hides:
        assert mail.remove(mail.open(ANN, phone), 2) == 1
        uidls.pop(1)
    before = mail.open(ANN, phone)
    Device.objects.filter(main=True).update(mode=Device.Mode.PRIMARY)
    drain(mail)
    between = mail.open(ANN, phone)
    recovery.restore(ANN, ALL, actor=ACTOR, new_uidls=again)
    after = mail.open(ANN, phone)
    drain(mail)
    recovery.restore(ANN, ALL, actor=ACTOR, new_uidls=again)
    assert mail.uidls(before) == uidls
    assert mail.read(before, len(uidls)).endswith(b"three\r\n")
    assert mail.uidls(between) == []
    assert len(mail.uidls(after)) == 3


def test_a_session_that_opened_before_deletes_nothing_of_what_came_back(mail: Mail) -> None:
    a_mailbox()
    deliver(mail, "one")
    before = mail.open(ANN)
    drain(mail)
    recovery.restore(ANN, ALL, actor=ACTOR)
    assert mail.remove(before, 1) == 1
    assert Mailbox.objects.get().messages == 1
    assert_counters_are_sums()


def test_who_destroys_a_message_destroys_what_is_told_of_its_stays() -> None:
    a_mailbox()
    rests(days=1)
    recovery.restore(ANN, ALL, actor=ACTOR)
    Message.objects.update(removed=1000, removed_at=timezone.now(), removed_why="dele")
    counters = Mailbox.objects.get()
    counters.messages, counters.octets, counters.recovery_messages, counters.recovery_octets = 0, 0, 1, 100
    counters.save()
    recovery.purge_now(ANN, ALL, actor=ACTOR)
    assert not EarlierStay.objects.exists()


# --- going for good ---------------------------------------------------------------------------------------------------


def test_a_purge_destroys_the_rows_at_once_and_leaves_the_bodies_for_a_day() -> None:
    a_mailbox()
    rests(days=1)
    assert recovery.purge_now(ANN, ALL, actor=ACTOR) == recovery.Purged(1, 100)
    assert not Message.objects.exists()
    assert_counters_are_sums()
    assert AuditEntry.objects.filter(verb="recovery.purge", mailbox__isnull=False, details__messages=1).count() == 1


def test_a_hold_forbids_the_purge_and_allows_the_restore() -> None:
    a_mailbox()
    rests(days=1)
    mailboxes.ensure(ANN, actor=ACTOR, held=True)
    with pytest.raises(Rejected, match="on hold"):
        recovery.purge_now(ANN, ALL, actor=ACTOR)
    assert recovery.restore(ANN, ALL, actor=ACTOR).messages == 1


def test_who_restores_is_told_to_the_owner() -> None:
    box = a_mailbox()
    rests(days=1)
    recovery.restore(ANN, ALL, actor=ACTOR)
    entry = AuditEntry.objects.get(verb="recovery.restore")
    assert (entry.mailbox, entry.actor_name, entry.details["messages"]) == (box, "tester", 1)


# --- at once ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rival", [recovery.restore, recovery.purge_now], ids=["two restores", "restore and purge"])
def test_at_once_each_message_ends_in_one_place(rival) -> None:
    a_mailbox()
    rows = [rests(days=1) for _ in range(20)]
    half, other = Choice(keys=[row.pk for row in rows[:15]]), Choice(keys=[row.pk for row in rows[5:]])
    results = at_once(
        lambda: recovery.restore(ANN, half, actor=ACTOR),
        lambda: rival(ANN, other, actor=ACTOR),
        lambda: recovery.restore(ANN, half, actor=ACTOR, new_uidls=True),
    )
    assert sum(done.messages for done in results if not isinstance(done, Rejected)) == 20
    assert Message.objects.filter(removed__isnull=False).count() == 0
    assert_counters_are_sums()
