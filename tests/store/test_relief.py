"""Room in a full mailbox before mail is refused: first what all have, then what one has, never what nobody has."""

from __future__ import annotations

import pytest

from mailstore.errors import QuotaDeferred
from mailstore.models import Mailbox, Message
from mailstore.ports import Delivered
from mailstore.store import devices, mailboxes, policies, sweep
from tests.store.bodiless import Bodiless
from tests.store.mail import Mail, assert_counters_are_sums
from tests.store.site import ACTOR, a_mailbox, a_message
from tests.store.test_usage import has, signed_in

ANN = "ann@example.org"


def following(relief: str, **fields: object) -> Mailbox:
    a_mailbox()
    policy = policies.ensure("rules", actor=ACTOR, relief=relief).row
    return mailboxes.ensure(ANN, actor=ACTOR, policy=policy, **fields).row


def removed() -> list[tuple[int, str]]:
    return list(Message.objects.exclude(removed=None).order_by("added").values_list("added", "removed_why"))


def swept() -> sweep.Swept:
    told = sweep.preview(Bodiless())
    done = sweep.run(Bodiless())
    assert (done.relieved, done.relieved_octets) == (told.relieved, told.relieved_octets)
    assert_counters_are_sums()
    return done


@pytest.mark.django_db
@pytest.mark.parametrize(("relief", "gone"), [("never", []), ("every", [2]), ("one", [1, 2, 4])])
def test_the_order_is_what_all_have_then_what_one_has(relief: str, gone: list[int]) -> None:
    box = following(relief)
    phone, _secret = devices.add(ANN, "Phone", actor=ACTOR)
    messages = [a_message(box, octets=1000) for _ in range(5)]
    has(signed_in(box), messages[0], messages[1], messages[3])
    has(phone, messages[1])
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=2500)
    assert swept().relieved == len(gone)
    # device add took a change number of its own
    first = messages[0].added - 1
    assert [added - first for added, _why in removed()] == gone
    assert {why for _added, why in removed()} <= {"relief"}


@pytest.mark.django_db
def test_no_more_goes_than_is_needed_the_oldest_first() -> None:
    box = following("every")
    messages = [a_message(box, octets=1000) for _ in range(10)]
    has(signed_in(box), *messages)
    mailboxes.ensure(ANN, actor=ACTOR, quota_octets=10_000)
    assert swept().relieved == 2, "down to a tenth below the quota, with the octet that was to fit"
    assert [added for added, _why in removed()] == [messages[0].added, messages[1].added]


@pytest.mark.django_db
def test_a_quota_of_messages_is_relieved_too() -> None:
    box = following("every")
    has(signed_in(box), *[a_message(box) for _ in range(5)])
    mailboxes.ensure(ANN, actor=ACTOR, quota_messages=4)
    assert (swept().relieved, Message.objects.filter(removed=None).count()) == (2, 3)


@pytest.mark.django_db
def test_a_hold_stops_relief() -> None:
    box = following("one", held=True)
    has(signed_in(box), *[a_message(box) for _ in range(5)])
    mailboxes.ensure(ANN, actor=ACTOR, quota_messages=4)
    assert swept().relieved == 0


@pytest.mark.django_db(transaction=True)
def test_mail_for_a_full_mailbox_makes_its_own_room(mail: Mail) -> None:
    box = following("every", quota_messages=2)
    assert isinstance(mail.deliver(ANN), Delivered)
    assert isinstance(mail.deliver(ANN), Delivered)
    assert isinstance(mail.deliver(ANN), QuotaDeferred), "nobody has fetched it"
    has(signed_in(box), *Message.objects.all())
    assert isinstance(mail.deliver(ANN), Delivered)
    assert removed() == [(1, "relief")]
    assert_counters_are_sums()


@pytest.mark.django_db(transaction=True)
def test_a_message_larger_than_was_said_makes_its_room_when_it_is_there(mail: Mail) -> None:
    box = following("every", quota_octets=20_000)
    wire = b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n"
    for _ in range(2):
        assert isinstance(mail.deliver(ANN, wire * 90), Delivered)
    has(signed_in(box), *Message.objects.all())
    accepted = mail.recipient(ANN)
    assert isinstance(mail.commit([accepted], wire * 90)[0], Delivered)
    assert [why for _added, why in removed()] == ["relief"]
    assert_counters_are_sums()


@pytest.mark.django_db(transaction=True)
def test_a_message_that_can_never_fit_moves_nothing(mail: Mail) -> None:
    box = following("every", quota_octets=4000)
    assert isinstance(mail.deliver(ANN), Delivered)
    has(signed_in(box), *Message.objects.all())
    accepted = mail.recipient(ANN)
    assert isinstance(mail.commit([accepted], b"x" * 9000 + b"\r\n")[0], QuotaDeferred)
    assert removed() == []
