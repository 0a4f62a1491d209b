"""The heading of an owner's start page: one sentence, made from the worst that is true."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from mailstore.models import Device, Domain, Message
from tests.owner.mail import a_device, a_letter
from tests.site.page_users import ANN, an_owner, signed_in
from tests.site.rows import a_message

pytestmark = pytest.mark.django_db


def heading() -> str:
    return str(signed_in(ANN).get("/mailbox/").context["verdict"])


def page() -> str:
    return " ".join(signed_in(ANN).get("/mailbox/").content.decode().split())


def used(box, name, **fields):
    return a_device(box, name, **{"last_sign_in_at": timezone.now()} | fields)


def has(*messages: Message) -> str:
    return "{" + ",".join(f"[{row.added},{row.added + 1})" for row in messages) + "}"


def test_nobody_fetches():
    an_owner()
    assert heading() == "Mail arrives. No mail program fetches it yet."


def test_one_device_is_behind():
    box = an_owner()
    one, two = a_message(box), a_message(box)
    used(box, "iPhone", confirmed=has(one, two))
    used(box, "Office PC")
    used(box, "Old laptop", last_sign_in_at=timezone.now() - datetime.timedelta(days=40))
    assert heading() == "Mail arrives. 2 messages wait for “Office PC”."


def test_one_message_waits():
    box = an_owner()
    a_message(box)
    used(box, "Office PC")
    assert heading() == "Mail arrives. 1 message waits for “Office PC”."


def test_the_main_password_is_behind():
    box = an_owner()
    a_message(box)
    Device.objects.update(last_sign_in_at=timezone.now())
    assert heading() == "Mail arrives. 1 message waits for the main password."


def test_several_devices_are_behind():
    box = an_owner()
    one, _two = a_message(box), a_message(box)
    used(box, "iPhone", confirmed=has(one))
    used(box, "Office PC")
    assert heading() == "Mail arrives. 2 messages wait for a device."


def test_every_device_has_all():
    box = an_owner()
    used(box, "iPhone", confirmed=has(a_message(box)))
    assert heading() == "Mail arrives. Your devices have all of it."
    assert "has all" in page()


@pytest.mark.parametrize(
    ("over_quota", "follows"), [("defer", "Senders try again later."), ("reject", "Senders get an error.")]
)
def test_a_full_mailbox_says_what_senders_get_and_how_to_make_room(over_quota, follows):
    box = an_owner(quota_octets=10)
    a_message(box, octets=10)
    Domain.objects.update(over_quota=over_quota)
    assert heading() == "New mail is refused: your mailbox is full."
    said = page()
    assert "Refusing new mail: full" in said
    assert follows in said
    assert "100 %" in said


def test_full_is_worse_than_pop_off():
    box = an_owner(quota_octets=10, pop=False)
    a_message(box, octets=10)
    assert heading() == "New mail is refused: your mailbox is full."
    assert "Ask your provider, mail.example.test, to switch on “POP”" in page()


@pytest.mark.parametrize(
    ("fields", "said", "remedy"),
    [
        ({"pop": False}, "POP is off: your mail programs cannot fetch mail.", "Ask your provider"),
        ({"receives": False}, "New mail is refused: receiving is switched off.", "Your administrator switches it on."),
    ],
)
def test_a_switch_is_said_first_with_who_sets_it(fields, said, remedy):
    an_owner(**fields)
    assert heading() == said
    assert remedy in page()


def test_below_the_heading_stands_the_newest_message_with_its_sender():
    box = an_owner()
    a_letter(box, "one", sender="Claire <claire@example.com>")
    imported = a_letter(box, "old", sender="Zoe <zoe@example.com>")
    Message.objects.filter(pk=imported.pk).update(aged_from=timezone.now())
    said = page()
    assert "from Claire." in said
    assert "Zoe" not in said


def test_a_silent_device_says_until_when_mail_waits():
    box = an_owner()
    used(box, "Old laptop", last_sign_in_at=timezone.now() - datetime.timedelta(days=40))
    assert "silent for 40 days; mail stops waiting on" in page()


def test_a_switch_is_worse_than_full_and_says_what_senders_get():
    box = an_owner(quota_octets=10, receives=False)
    a_message(box, octets=10)
    assert heading() == "New mail is refused: receiving is switched off."
    assert "Senders try again later." not in page()


@pytest.mark.parametrize(
    ("over_quota", "follows"), [("defer", "Senders try again later."), ("reject", "Senders get an error.")]
)
def test_a_full_domain_refuses_mail_too(over_quota, follows):
    box = an_owner()
    a_message(box, octets=10)
    Domain.objects.update(over_quota=over_quota, quota_octets=10)
    assert heading() == "New mail is refused: the space of your domain is used up."
    assert "Refusing new mail: the domain is full" in page()
    assert follows in page()
