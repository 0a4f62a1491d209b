"""The start page of a mailbox owner."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys

import pytest
from django.utils import timezone

from mailstore.models import Device, Mailbox, RetentionPolicy
from popadmin.web.server_settings import Port, server_settings
from tests.site.page_users import ANN, an_admin, an_owner, signed_in
from tests.site.rows import a_message
from tests.up.programs import REPOSITORY

pytestmark = pytest.mark.django_db


def device(mailbox, name, **fields):
    return Device.objects.create(mailbox=mailbox, name=name, selector=name, digest=b"d", **fields)


def test_the_owner_sees_what_is_used_of_the_quota_and_by_what():
    mailbox = an_owner(quota_octets=2**30, quota_messages=1000)
    for octets in (2**29, 2**20):
        a_message(mailbox, octets=octets)
    Device.objects.filter(main=True).update(confirmed="{[2,3)}", last_sign_in_at=timezone.now())
    response = signed_in(ANN).get("/mailbox/")
    page = response.content.decode()
    assert "50\N{NO-BREAK SPACE}%" in page
    assert "513\N{NO-BREAK SPACE}MB of 1\N{NO-BREAK SPACE}GB" in page
    assert "2 messages of at most 1,000" in page
    assert (response.context["split"].waiting.octets, response.context["split"].kept.octets) == (2**29, 2**20)


@pytest.mark.parametrize(("octets", "place"), [(1500, 'class="quota"\n    x="66.7%"'), (500, "")])
def test_above_the_quota_a_gap_marks_it_and_what_is_above_is_red(octets, place):
    a_message(an_owner(quota_octets=1000), octets=octets)
    page = signed_in(ANN).get("/mailbox/").content.decode()
    assert ('class="bad" x="66.7%"' in page, "the gap marks the quota" in page) == (bool(place), bool(place))
    assert place in page


def test_the_owner_reads_how_long_their_mail_stays():
    mailbox = an_owner()
    page = signed_in(ANN).get("/mailbox/").content.decode()
    for rule in ("All mail stays until a device deletes it.", "Removed mail stays in recovery for 30 days."):
        assert rule in page
    Mailbox.objects.filter(pk=mailbox.pk).update(
        policy=RetentionPolicy.objects.create(name="short", expire_days=9, diary_days=7), held=True
    )
    page = signed_in(ANN).get("/mailbox/").content.decode()
    for rule in ("Mail is removed 9 days after it arrived", "The diary is kept for 7 days.", "The mailbox is on hold"):
        assert rule in page


def test_the_owner_sees_their_devices_the_main_password_last_and_nobody_elses():
    mailbox, now = an_owner(), timezone.now()
    device(mailbox, "never used")
    device(mailbox, "phone", last_sign_in_at=now, last_client="2001:db8::17")
    device(mailbox, "laptop", last_sign_in_at=now - datetime.timedelta(days=2))
    device(mailbox, "lost", revoked_at=now)
    device(an_owner("bob@example.org"), "of bob")
    response = signed_in(ANN).get("/mailbox/")
    names = [row.device.name for row in response.context["devices"]]
    assert names == ["phone", "laptop", "never used", "main"]
    page = response.content.decode()
    assert "Main password" in page
    assert "bob" not in page


def test_the_owner_reads_the_ports_that_their_mail_program_reaches_not_those_behind_a_redirect(settings):
    settings.PUBLIC_HOSTNAME = "pop.example.org"
    settings.POP3S_LISTEN, settings.POP3_LISTEN = ("[::]:1995",), ("0.0.0.0:1110",)
    settings.PUBLIC_POP3S_PORT, settings.PUBLIC_POP3_PORT = 995, 110
    assert server_settings().ports == (Port(995, "SSL/TLS"), Port(110, "STARTTLS"))
    an_owner()
    page = signed_in(ANN).get("/mailbox/").content.decode()
    assert "pop.example.org" in page
    assert "<code>995</code>" in page
    assert "1995" not in page


@pytest.mark.parametrize(
    ("environment", "ports"),
    [
        ({}, "1110 995"),
        ({"PUBLIC_POP3_PORT": "110"}, "110 995"),
        ({"PUBLIC_POP3_PORT": ""}, "None 995"),
        ({"POP3S_LISTEN": ""}, "1110 None"),
        ({"POP3S_LISTEN": "", "PUBLIC_POP3S_PORT": "995"}, "1110 995"),
    ],
)
def test_the_ports_told_are_the_first_listened_on_unless_another_is_set_or_none(environment, ports):
    program = "from popadmin import settings; print(settings.PUBLIC_POP3_PORT, settings.PUBLIC_POP3S_PORT)"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PUBLIC_POP3")}
    listens = {"POP3_LISTEN": "unix:/run/pop3,0.0.0.0:1110,0.0.0.0:110", "POP3S_LISTEN": "[::]:995"}
    printed = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env=kept | listens | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert printed.stdout.strip() == ports


def test_a_listener_that_is_switched_off_is_not_offered(settings):
    settings.PUBLIC_POP3_PORT = None
    assert [port.encryption for port in server_settings().ports] == ["SSL/TLS"]


def test_the_page_says_when_pop_or_the_main_password_is_barred():
    an_owner(pop=False, main_pop=False)
    page = signed_in(ANN).get("/mailbox/").content.decode()
    assert "POP is off: your mail programs cannot fetch mail." in page
    assert "the main password is not accepted" in page


def test_an_admin_without_a_mailbox_has_no_such_page():
    an_admin()
    assert signed_in("root").get("/mailbox/").status_code == 404


@pytest.mark.parametrize("devices", [0, 20])
def test_the_page_costs_the_same_statements_however_many_devices(django_assert_num_queries, devices):
    mailbox = an_owner()
    client = signed_in(ANN)
    for number in range(devices):
        device(mailbox, f"device {number}")
    # The session, the user, the mailbox, the devices with what waits, the split, the newest message, the diary, the
    # site's policy, the findings, what was deferred.
    with django_assert_num_queries(10):
        assert client.get("/mailbox/").status_code == 200
