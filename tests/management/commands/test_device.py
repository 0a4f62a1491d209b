"""`device`: what it prints and changes."""

from __future__ import annotations

import json

import pytest

from mailstore.models import Device
from mailstore.policy import device_secret
from tests.management.command_runner import said
from tests.site.rows import a_mailbox

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


def test_device_add_shows_a_password_that_reads_back_and_says_what_became_of_the_main_view() -> None:
    a_mailbox()
    text = said("device", "add", ANN, "Office PC")
    secret = next(line.split()[1] for line in text.splitlines() if "password:" in line)
    selector, canonical = device_secret.split(secret)
    assert bytes(Device.objects.get(selector=selector).digest) == device_secret.digest(canonical)
    assert "the main password's view is independent" in text
    assert "the main password's view" not in said("device", "add", ANN, "Phone", "--mode", "peek")
    assert "the main password's view" not in said("device", "revoke", ANN, "Phone")
    assert "the main password's view is primary" in said("device", "revoke", ANN, "office pc")


def test_device_mode_says_what_deleting_does_from_now_on() -> None:
    a_mailbox()
    added = said("device", "add", ANN, "Phone")
    assert f"device mode {ANN} main primary" in added
    assert "is peek: never counts" in said("device", "mode", ANN, "phone", "peek")
    assert "is primary: deleting removes" in said("device", "mode", ANN, "main", "primary")
    assert "can no longer sign in to POP" in said("device", "mode", ANN, "main", "none")
    assert json.loads(said("device", "mode", ANN, "main", "peek", "--json"))["mode"] == "peek"


def test_device_list_never_shows_a_secret() -> None:
    a_mailbox()
    secret = json.loads(said("device", "add", ANN, "Phone", "--json"))["password"]
    listed = said("device", "list", ANN) + said("device", "list", ANN, "--json")
    assert secret not in listed
    assert secret[:8] not in listed
    assert [row["name"] for row in json.loads(said("device", "list", ANN, "--json"))] == ["main", "Phone"]


def test_device_add_and_send_say_whether_a_password_may_send() -> None:
    a_mailbox()
    said("device", "add", ANN, "Phone")
    said("device", "add", ANN, "Laptop", "--may-send")
    assert "device Phone may send mail" in said("device", "send", ANN, "phone", "yes")
    assert json.loads(said("device", "send", ANN, "laptop", "no", "--json"))["may_send"] is False
    said("mailbox", "ensure", ANN, "--no-main-pop")
    rows = json.loads(said("device", "list", ANN, "--json"))
    assert {row["name"]: row["may_send"] for row in rows} == {"main": False, "Phone": True, "Laptop": False}
