"""The owner's devices: the list, changing one, and revoking it."""

from __future__ import annotations

import datetime
import re

import pytest
from django.utils import timezone

from mailstore.directory import devices
from mailstore.models import AuditEntry, Device, DiarySession, Mailbox
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import ACTOR, a_message

pytestmark = pytest.mark.django_db
BOB = "bob@example.org"


def a_device(name="Phone", address=ANN, **fields):
    device, _secret = devices.add(address, name, actor=ACTOR)
    Device.objects.filter(pk=device.pk).update(**fields)
    return device


def main(address=ANN):
    return Device.objects.get(mailbox__user__address=address, main=True)


def texts(response):
    return " ".join(response.content.decode().split())


def test_each_device_is_told_with_mode_last_use_and_since_when():
    an_owner()
    a_device(last_sign_in_at=timezone.now() - datetime.timedelta(hours=3), last_client="192.0.2.7", mode="peek")
    page = texts(signed_in(ANN).get("/devices/"))
    for said in ("Phone", "View only", "192.0.2.7", "</time>", "since", "Main password"):
        assert said in page


def icon_of(page, name):
    """The icon of the row with this name."""
    return re.search(r"#([a-z-]+)\"></use></svg> <div> <a [^>]*><strong>" + name, page)[1]


def test_the_icon_is_that_of_the_kind_that_was_chosen_and_never_of_the_name():
    an_owner()
    a_device("Phone")
    a_device("Sputnik", kind="laptop")
    page = texts(signed_in(ANN).get("/devices/"))
    assert icon_of(page, "Phone") == "envelope"
    assert icon_of(page, "Sputnik") == "laptop"
    assert icon_of(page, "Main password") == "key"


def test_a_device_is_told_what_it_is_with_its_name():
    an_owner()
    device = a_device()
    response = signed_in(ANN).post(f"/devices/{device.pk}/name/", {"name": "Slate", "kind": "tablet"}, follow=True)
    assert "Saved." in texts(response)
    device.refresh_from_db()
    assert (device.name, device.kind) == ("Slate", "tablet")
    entries = AuditEntry.objects.filter(verb="device.kind").values_list("details", flat=True)
    assert [*entries] == [{"device": "Slate", "kind": "tablet"}]


def test_a_device_may_send_once_its_owner_says_so_and_no_longer_when_the_tick_is_taken_away():
    an_owner()
    device = a_device()
    for may_send in (True, False):
        fields = {"name": device.name, "kind": device.kind} | ({"may_send": "on"} if may_send else {})
        assert "Saved." in texts(signed_in(ANN).post(f"/devices/{device.pk}/name/", fields, follow=True))
        device.refresh_from_db()
        assert device.may_send is may_send
    entries = AuditEntry.objects.filter(verb="device.send").order_by("pk").values_list("details__may_send", flat=True)
    assert [*entries] == [True, False]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Waiting for its first sign-in"),
        ({"last_sign_in_at": timezone.now(), "last_client": "192.0.2.7"}, "Works"),
        (
            {"last_sign_in_at": timezone.now() - datetime.timedelta(days=40)},
            "Silent for 40 days; mail stops waiting on",
        ),
        (
            {"last_sign_in_at": timezone.now() - datetime.timedelta(days=60), "silent_since": timezone.now()},
            "mail no longer waits for it",
        ),
    ],
)
def test_the_page_of_a_device_begins_with_how_it_stands(fields, said):
    an_owner()
    device = a_device(**fields)
    assert said in texts(signed_in(ANN).get(f"/devices/{device.pk}/"))


def test_a_device_that_was_refused_after_it_worked_says_why():
    box = an_owner()
    device = a_device(last_sign_in_at=timezone.now() - datetime.timedelta(hours=2))
    now = timezone.now()
    DiarySession.objects.create(
        mailbox=box, device=device, started_at=now, ended_at=now, ended="throttled", client="192.0.2.7"
    )
    page = texts(signed_in(ANN).get(f"/devices/{device.pk}/"))
    assert "Refused: too many wrong passwords" in page
    assert "192.0.2.7" in page


def test_with_pop_off_every_device_says_so_and_who_switches_it_on():
    an_owner(pop=False)
    device = a_device(last_sign_in_at=timezone.now())
    client = signed_in(ANN)
    for path in ("", f"{device.pk}/"):
        assert "switch on “POP” in the settings of your mailbox." in texts(client.get(f"/devices/{path}"))


def test_who_has_the_main_password_alone_is_told_what_devices_are_for():
    an_owner()
    assert "One mailbox, several devices" in texts(signed_in(ANN).get("/devices/"))
    a_device()
    assert "One mailbox, several devices" not in texts(signed_in(ANN).get("/devices/"))


@pytest.mark.parametrize("count", [0, 20])
def test_the_list_costs_the_same_statements_however_many_there_are(django_assert_num_queries, count):
    an_owner()
    client = signed_in(ANN)
    for number in range(count):
        a_device(f"device {number}")
    with django_assert_num_queries(4):  # the session, the user, the mailbox, the devices with what waits
        assert client.get("/devices/").status_code == 200


def test_a_device_tells_how_much_of_the_mailbox_it_sees():
    mailbox = an_owner()
    a_message(mailbox, octets=1000)
    devices.add(ANN, "Late", actor=ACTOR, start="now")
    a_message(mailbox, octets=500)
    response = signed_in(ANN).get(f"/devices/{Device.objects.get(name='Late').pk}/")
    assert (response.context["sees_messages"], response.context["sees_octets"]) == (1, 500)


def test_a_new_name_is_kept_and_told():
    an_owner()
    device = a_device()
    response = signed_in(ANN).post(f"/devices/{device.pk}/name/", {"name": "Old phone"}, follow=True)
    assert "The device is now called “Old phone”." in texts(response)
    device.refresh_from_db()
    assert device.name == "Old phone"


def test_a_name_that_is_taken_is_shown_beside_the_field_and_what_was_typed_stays():
    an_owner()
    device, other = a_device(), a_device("Tablet")
    response = signed_in(ANN).post(f"/devices/{device.pk}/name/", {"name": other.name})
    form = response.context["forms"]["rename"]
    assert "has a device with that name" in form.errors["name"][0]
    assert 'value="Tablet"' in texts(response)


def test_a_mode_is_chosen_for_any_device_the_main_password_included():
    an_owner()
    device = a_device()
    client = signed_in(ANN)
    for row, mode in ((device, "peek"), (main(), "primary")):
        assert client.post(f"/devices/{row.pk}/mode/", {"mode": mode}).status_code == 302
        row.refresh_from_db()
        assert row.mode == mode


def test_the_main_password_is_kept_from_mail_programs_and_given_back():
    an_owner()
    a_device()
    client, key = signed_in(ANN), main().pk
    for chosen, holds in (("none", False), ("independent", True)):
        client.post(f"/devices/{key}/mode/", {"mode": chosen})
        assert Mailbox.objects.get().main_pop is holds
        assert client.get(f"/devices/{key}/").context["forms"]["mode"].initial == {"mode": chosen}


@pytest.mark.parametrize(("alone", "mode"), [(True, "independent"), (False, "greedy"), (False, "")])
def test_what_cannot_be_chosen_is_told_and_changes_nothing(alone, mode):
    an_owner()
    if not alone:
        a_device()
    before = main().mode
    response = signed_in(ANN).post(f"/devices/{main().pk}/mode/", {"mode": mode})
    assert response.context["forms"]["mode"].errors["mode"]
    assert main().mode == before


def test_revoking_is_asked_about_once_and_then_told():
    an_owner()
    device = a_device()
    client = signed_in(ANN)
    assert "cannot be undone" in texts(client.get(f"/devices/{device.pk}/revoke/"))
    assert Device.objects.get(pk=device.pk).revoked_at is None
    page = texts(client.post(f"/devices/{device.pk}/revoke/", follow=True))
    assert "“Phone” is revoked: it can no longer sign in." in page
    assert Device.objects.get(pk=device.pk).revoked_at is not None


def test_the_main_password_is_not_revoked():
    an_owner()
    page = texts(signed_in(ANN).post(f"/devices/{main().pk}/revoke/", follow=True))
    assert "The main password cannot be revoked" in page
    assert main().revoked_at is None


def test_an_old_page_of_a_revoked_device_leads_to_the_list_which_says_so():
    an_owner()
    device = a_device()
    devices.revoke(ANN, "Phone", actor=ACTOR)
    client = signed_in(ANN)
    for path, post in (("", client.get), ("revoke/", client.post), ("name/", client.post), ("status/", client.get)):
        response = post(f"/devices/{device.pk}/{path}", follow=True)
        assert response.redirect_chain[0][0] == "/devices/"
        assert "“Phone” is revoked." in texts(response)


def test_what_is_done_is_in_the_audit_with_who_did_it():
    an_owner()
    device = a_device()
    AuditEntry.objects.all().delete()
    client = signed_in(ANN)
    client.post(f"/devices/{device.pk}/name/", {"name": "Old phone"})
    client.post(f"/devices/{main().pk}/mode/", {"mode": "none"})
    client.post(f"/devices/{device.pk}/revoke/")
    entries = AuditEntry.objects.order_by("pk").values_list("verb", "via", "actor_name")
    assert [*entries] == [(verb, "web", ANN) for verb in ("device.rename", "device.mode", "device.revoke")]


@pytest.mark.parametrize("path", ["", "name/", "mode/", "revoke/", "status/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_elses_device_exists_and_the_try_is_told(path, method):
    an_owner()
    an_owner(BOB)
    device = a_device(address=BOB)
    response = getattr(signed_in(ANN), method)(f"/devices/{device.pk}/{path}", {"name": "mine now", "mode": "peek"})
    assert response.status_code == 404
    device.refresh_from_db()
    assert (device.name, device.mode, device.revoked_at) == ("Phone", "independent", None)
    assert AuditEntry.objects.filter(verb="denied", actor_name=ANN).count() == 1


@pytest.mark.parametrize("path", ["/devices/", "/devices/connect/", "/devices/1/"])
def test_who_has_no_mailbox_has_no_devices(path):
    an_admin()
    assert signed_in("root").get(path).status_code == 404
