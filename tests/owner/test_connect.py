"""Connecting a device: the secret is shown once, beside the settings, and the page shows the first sign-in."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from django.utils.html import escape

from mailstore.models import AuditEntry, Device, DiarySession
from mailstore.policy import device_secret
from popadmin.connect.program_steps import LABELS, PROGRAMS
from popadmin.owner.refusals import LEADS, REMEDIES
from tests.site.page_users import ANN, an_owner, signed_in
from tests.site.rows import a_message

pytestmark = pytest.mark.django_db
FORM = {"name": "Phone", "mode": "independent", "start": "all"}


def connected(client, **fields):
    return client.post("/devices/connect/", {**FORM, **fields})


def secret_of(response) -> str:
    return re.search(r'id="copy-secret">([^<]+)<', response.content.decode())[1]


def test_the_secret_is_shown_once_and_proves_the_device(client):
    an_owner()
    client = signed_in(ANN)
    response = connected(client)
    device = Device.objects.get(name="Phone")
    selector, canonical = device_secret.split(secret_of(response))
    assert (device.selector, bytes(device.digest)) == (selector, device_secret.digest(canonical))
    for path in ("/devices/", f"/devices/{device.pk}/", f"/devices/{device.pk}/status/"):
        assert selector not in client.get(path).content.decode()
    assert selector not in str([*AuditEntry.objects.values_list("details", flat=True)])


def test_the_form_sent_again_makes_no_second_device_and_shows_no_secret():
    an_owner()
    client = signed_in(ANN)
    connected(client)
    again = connected(client)
    assert "has a device with that name" in again.context["form"].errors["name"][0]
    assert Device.objects.filter(name="Phone").count() == 1


def test_mode_and_start_are_those_that_were_chosen():
    a_message(an_owner())
    connected(signed_in(ANN), mode="peek", start="now")
    device = Device.objects.get(name="Phone")
    assert (device.mode, device.hidden_messages) == ("peek", 1)


def test_a_device_sends_only_if_that_was_ticked():
    an_owner()
    client = signed_in(ANN)
    connected(client)
    connected(client, name="Laptop", may_send="on")
    assert dict(Device.objects.filter(main=False).values_list("name", "may_send")) == {"Phone": False, "Laptop": True}


def test_only_a_password_that_may_send_is_shown_an_outgoing_server():
    an_owner()
    client = signed_in(ANN)
    assert client.get("/devices/connect/").context["form"]["may_send"].value() is True
    phone, laptop = connected(client), connected(client, name="Laptop", may_send="on")
    assert ("Outgoing server" in phone.content.decode(), "Let it send too" in phone.content.decode()) == (False, True)
    assert ("Outgoing server" in laptop.content.decode(), "Let it send too" in laptop.content.decode()) == (True, False)
    assert ["?only=fetch" in shown.context["qr"].text for shown in (phone, laptop)] == [True, False]
    assert "Outgoing server" in client.get("/setup/device/").content.decode()
    assert "Outgoing server" not in client.get("/setup/device/?only=fetch").content.decode()


def test_a_mailbox_that_may_not_send_is_not_asked_about_it_and_offers_no_outgoing_server():
    mailbox = an_owner()
    mailbox.smtp = False
    mailbox.save()
    client = signed_in(ANN)
    assert "may_send" not in client.get("/devices/connect/").content.decode()
    page = connected(client, may_send="on").content.decode()
    assert (Device.objects.get(name="Phone").may_send, "Outgoing server" in page) == (False, False)
    assert "Let it send too" not in page


@pytest.mark.parametrize("fields", [{"name": ""}, {"name": "x" * 61}, {"mode": "greedy"}, {"start": "1970"}])
def test_a_refused_form_keeps_what_was_typed_and_makes_nothing(fields):
    an_owner()
    response = connected(signed_in(ANN), **fields)
    assert set(response.context["form"].errors) == set(fields)
    assert Device.objects.count() == 1


@pytest.mark.parametrize("program", [program.name for program in PROGRAMS])
def test_the_values_stand_in_the_order_in_which_the_program_asks(program):
    an_owner()
    client = signed_in(ANN)
    page = client.get(f"/devices/connect/?program={program}").content.decode()
    assert f'name="program" value="{program}"' in page
    page = connected(client, program=program).content.decode()
    chosen = next(one for one in PROGRAMS if one.name == program)
    shown = page[page.index(f'id="program-{program}"') :]
    places = [shown.index(f"<dt>{LABELS[name]}</dt>") for name in chosen.asks]
    assert places == sorted(places)
    assert "1995" in shown, "the port of this site"
    assert str(escape(chosen.steps[0])) in shown


def test_an_unknown_program_is_any_other():
    an_owner()
    response = connected(signed_in(ANN), program="telepathy")
    assert response.context["chosen"].name == "other"


def test_a_program_suggests_a_kind_and_the_owner_decides():
    an_owner()
    client = signed_in(ANN)
    assert client.get("/devices/connect/?program=android").context["form"].initial["kind"] == "phone"
    connected(client, program="android", kind="tablet")
    assert Device.objects.get(name="Phone").kind == "tablet"
    connected(client, name="Unsaid")
    assert Device.objects.get(name="Unsaid").kind == "other"


def test_a_device_that_has_not_signed_in_keeps_its_steps_without_the_password():
    an_owner()
    client = signed_in(ANN)
    secret = secret_of(connected(client))
    page = client.get(f"/devices/{Device.objects.get(name='Phone').pk}/?program=outlook").content.decode()
    assert "Advanced options" in page
    assert "It was shown when the device was connected." in page
    assert secret not in page


def test_with_the_first_device_the_page_tells_what_becomes_of_the_main_password():
    an_owner()
    client = signed_in(ANN)
    main = Device.objects.get(main=True)
    first, second = connected(client), connected(client, name="Tablet")
    assert f"/devices/{main.pk}/" in first.content.decode()
    assert "This is your first device." in first.content.decode()
    assert "first device" not in second.content.decode()


def test_the_code_leads_to_a_page_of_ours_and_holds_the_secret_where_no_server_gets_it():
    an_owner()
    response = connected(signed_in(ANN), may_send="on")
    address = urlsplit(response.context["qr"].text)
    assert (address.path, address.query) == ("/setup/device/", "")
    assert parse_qs(address.fragment) == {"user": [ANN], "secret": [secret_of(response)]}


def test_the_page_of_the_code_tells_host_and_ports_to_anybody_and_nothing_else(client):
    page = client.get("/setup/device/").content.decode()
    assert "mail.example.test" in page
    assert "1995" in page


def test_the_waiting_page_learns_of_the_first_sign_in():
    an_owner()
    client = signed_in(ANN)
    connected(client)
    device = Device.objects.get(name="Phone")
    waiting = client.get(f"/devices/{device.pk}/status/").content.decode()
    assert "Waiting for its first sign-in" in waiting
    assert "data-end" not in waiting
    Device.objects.filter(pk=device.pk).update(last_sign_in_at=timezone.now(), last_client="192.0.2.7")
    arrived = client.get(f"/devices/{device.pk}/status/").content.decode()
    assert "“Phone” works" in arrived
    assert "It signed in at" in arrived
    assert "data-end" not in arrived, "its session may still go on"
    now = timezone.now()
    DiarySession.objects.create(
        mailbox=device.mailbox, device=device, started_at=now, ended_at=now, fetched_messages=212
    )
    over = client.get(f"/devices/{device.pk}/status/").content.decode()
    assert "and fetched 212 messages." in over
    assert "data-end" in over


def test_looking_whether_it_arrived_costs_little(django_assert_num_queries):
    an_owner()
    client = signed_in(ANN)
    connected(client)
    key = Device.objects.get(name="Phone").pk
    with django_assert_num_queries(5):  # the session, the user, the device, the diary, the network
        client.get(f"/devices/{key}/status/")


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ("wrong", "the password was wrong"),
        ("previous", "previous main password"),
        ("main-off", "which mail programs may not"),
        ("pop-off", "POP is off for this mailbox"),
        ("throttled", "too many wrong passwords"),
        ("suspended", "suspended"),
    ],
)
def test_the_waiting_page_says_why_a_try_failed(ended, said):
    mailbox = an_owner()
    client = signed_in(ANN)
    connected(client)
    now = timezone.now()
    DiarySession.objects.create(mailbox=mailbox, started_at=now, ended_at=now, client="192.0.2.7", ended=ended)
    page = client.get(f"/devices/{Device.objects.get(name='Phone').pk}/status/").content.decode()
    assert said in page
    assert "192.0.2.7" in page


def test_what_failed_before_the_device_was_made_or_went_well_is_no_failure_of_it():
    mailbox = an_owner()
    client = signed_in(ANN)
    before = timezone.now()
    connected(client)
    now = timezone.now()
    DiarySession.objects.create(mailbox=mailbox, started_at=before, ended_at=before, ended="wrong")
    DiarySession.objects.create(mailbox=mailbox, started_at=now, ended_at=now, ended="quit")
    page = client.get(f"/devices/{Device.objects.get(name='Phone').pk}/status/").content.decode()
    assert "Last try" not in page


def test_every_refusal_of_the_diary_has_its_remedy():
    assert set(REMEDIES) == set(LEADS) == set(DiarySession.REFUSED)
