"""Connecting a device: the secret is shown once, beside the settings, and the page shows the first sign-in."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from mailstore.models import AuditEntry, Device, DiarySession
from mailstore.policy import device_secret
from popadmin.owner.device_setup import REMEDIES, qr_code
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


@pytest.mark.parametrize("fields", [{"name": ""}, {"name": "x" * 61}, {"mode": "greedy"}, {"start": "1970"}])
def test_a_refused_form_keeps_what_was_typed_and_makes_nothing(fields):
    an_owner()
    response = connected(signed_in(ANN), **fields)
    assert set(response.context["form"].errors) == set(fields)
    assert Device.objects.count() == 1


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
    response = connected(signed_in(ANN))
    address = urlsplit(response.context["qr"].text)
    assert (address.path, address.query) == ("/setup/device/", "")
    assert parse_qs(address.fragment) == {"user": [ANN], "secret": [secret_of(response)]}


def test_the_page_of_the_code_tells_host_and_ports_to_anybody_and_nothing_else(client):
    page = client.get("/setup/device/").content.decode()
    assert "mail.example.test" in page
    assert "1995" in page


def test_the_code_is_drawn_as_squares_inside_a_quiet_zone():
    drawn = qr_code("hello")
    assert drawn.side == 21 + 8
    assert drawn.path.startswith("M4 4h7v1h-7z")  # the top of the first finder pattern


def test_the_waiting_page_learns_of_the_first_sign_in():
    an_owner()
    client = signed_in(ANN)
    connected(client)
    device = Device.objects.get(name="Phone")
    waiting = client.get(f"/devices/{device.pk}/status/").content.decode()
    assert "has not signed in yet" in waiting
    assert "data-end" not in waiting
    Device.objects.filter(pk=device.pk).update(last_sign_in_at=timezone.now(), last_client="192.0.2.7")
    arrived = client.get(f"/devices/{device.pk}/status/").content.decode()
    assert "it is connected" in arrived
    assert "192.0.2.7" in arrived
    assert "data-end" in arrived


def test_looking_whether_it_arrived_costs_little(django_assert_num_queries):
    an_owner()
    client = signed_in(ANN)
    connected(client)
    key = Device.objects.get(name="Phone").pk
    with django_assert_num_queries(4):  # the session, the user, the device, the diary
        client.get(f"/devices/{key}/status/")


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ("wrong", "the password was wrong"),
        ("previous", "previous main password"),
        ("main-off", "which mail programs may not"),
        ("pop-off", "POP is switched off"),
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
    assert "A sign-in was refused" not in page


def test_every_refusal_of_the_diary_has_its_remedy():
    assert set(REMEDIES) == set(DiarySession.REFUSED)
