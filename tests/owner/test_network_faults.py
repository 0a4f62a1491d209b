"""What the page of a new device tells of the network of the browser, and what it does not tell of neighbours."""

from __future__ import annotations

import datetime
import html
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mailstore.models import Device, DiarySession, RefusedName
from popadmin.owner import network_faults
from tests.site.page_users import ANN, an_owner, signed_in

pytestmark = pytest.mark.django_db
HERE = {"REMOTE_ADDR": "192.0.2.7"}
FORM = {"name": "Phone", "mode": "independent", "start": "all"}


@pytest.fixture
def owner(settings: Any) -> Client:
    settings.PUBLIC_POP3S_PORT, settings.PUBLIC_POP3_PORT = 995, 110
    an_owner()
    client = signed_in(ANN)
    client.post("/devices/connect/", FORM, **HERE)
    return client


def a_fault(reason: str, name: str = "", *, seconds: int = 0, **fields: Any) -> RefusedName:
    at = timezone.now() + datetime.timedelta(seconds=seconds)
    values = {"network": "192.0.2.0/24", "protocol": "pop3", "tries": 1, **fields}
    return RefusedName.objects.create(reason=reason, name=name, first_at=at, last_at=at, **values)


def line(client: Client, *, page: str = "status/", **where: str) -> str:
    key = Device.objects.get(name="Phone").pk
    answer = html.unescape(client.get(f"/devices/{key}/{page}", **(where or HERE)).content.decode())
    return " ".join(re.sub(r"<[^>]*>", " ", answer).split())


@pytest.mark.parametrize(
    ("reason", "name", "said"),
    [
        ("unknown", "ann", "it signed in as “ann”. The user name must be ann@example.org."),
        ("unknown", "ann@exmaple.org", "what follows the @ in its user name is wrong. The user name must be ann@exam"),
        ("unknown", "", "it did not use your user name. The user name must be ann@example.org."),
        ("unknown", "bob", "it did not use your user name. The user name must be ann@example.org."),
        ("unknown", "bob@example.org", "it did not use your user name."),
        ("network", "", "too many user names that nobody has were tried there. Wait an hour, then use ann@"),
        ("connections", "", "too many connections are open there."),
        ("tls-version", "192.0.2.9", "the program is too old for the encryption here."),
        ("tls-cipher", "192.0.2.9", "the program and this server have no encryption in common."),
        ("cleartext", "", "it connected in clear and did not begin TLS. Choose SSL/TLS with port 995."),
        ("tls-first", "", "it began TLS at once, on the port for STARTTLS. Choose SSL/TLS with port 995."),
        ("tls-missing", "", "it connected in clear, to the port for SSL/TLS. Choose SSL/TLS with port 995."),
    ],
)
def test_each_fault_of_the_own_network_is_told_with_what_to_type(
    owner: Client, reason: str, name: str, said: str
) -> None:
    a_fault(reason, name)
    for page in ("status/", ""):  # the part that the script loads, and the page behind the link
        told = line(owner, page=page)
        assert f"from your network: {said}" in told
        assert "bob" not in told
        assert "exmaple" not in told
        assert "192.0.2.9" not in told


def test_a_site_that_offers_starttls_alone_names_its_port(owner: Client, settings: Any) -> None:
    settings.PUBLIC_POP3S_PORT = None
    a_fault("tls-first")
    assert "Choose STARTTLS with port 110." in line(owner)


@pytest.mark.parametrize(
    "fields",
    [
        {"network": "198.51.100.0/24"},
        {"network": ""},
        {"protocol": "web"},
        {"reason": "account", "name": "bob@example.org"},
        {"seconds": -1000},
    ],
    ids=["elsewhere", "many networks", "these pages", "a neighbour's limit", "before the device"],
)
def test_what_does_not_concern_this_device_is_not_told(owner: Client, fields: dict[str, Any]) -> None:
    a_fault(**{"reason": "cleartext", **fields})
    assert "Waiting for its first sign-in" in line(owner)


def test_what_is_some_minutes_old_is_not_told(owner: Client) -> None:
    Device.objects.update(created_at=timezone.now() - datetime.timedelta(days=1))
    fault = a_fault("cleartext", seconds=-300)
    assert "without encryption" in line(owner)
    RefusedName.objects.filter(pk=fault.pk).update(last_at=timezone.now() - network_faults.LATELY)
    assert "Waiting for its first sign-in" in line(owner)


def test_a_browser_without_an_address_is_in_no_network(owner: Client) -> None:
    a_fault("cleartext", network="")
    assert "Waiting for its first sign-in" in line(owner, REMOTE_ADDR="")


def test_the_newest_is_told_whether_of_the_mailbox_or_of_the_network(owner: Client) -> None:
    mailbox = Device.objects.get(name="Phone").mailbox
    at = timezone.now()
    DiarySession.objects.create(mailbox=mailbox, started_at=at, ended_at=at, client="203.0.113.4", ended="wrong")
    fault = a_fault("tls-first", seconds=1)
    assert "port and encryption do not match" in line(owner)
    RefusedName.objects.filter(pk=fault.pk).update(last_at=at - datetime.timedelta(microseconds=1))
    assert "the password was refused" in line(owner)
    Device.objects.filter(name="Phone").update(last_sign_in_at=at)
    assert "“Phone” works" in line(owner)


def test_every_reason_that_can_be_told_has_its_words() -> None:
    told_otherwise = {RefusedName.Reason.UNKNOWN, RefusedName.Reason.ACCOUNT}
    assert set(network_faults.WORDS) == set(RefusedName.Reason) - told_otherwise
