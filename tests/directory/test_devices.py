"""Devices: a secret shown once, a view that starts where asked, and a main view that yields to the first device."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.directory import devices
from mailstore.directory.outcome import Rejected
from mailstore.models import AuditEntry, Device, Mailbox
from mailstore.policy import device_secret
from tests.site.rows import ACTOR, a_mailbox, a_message, at_once

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


def main_mode(mailbox: Mailbox) -> str:
    return Device.objects.get(mailbox=mailbox, main=True).mode


def test_the_secret_finds_and_proves_its_device() -> None:
    a_mailbox()
    device, secret = devices.add(ANN, "Office PC", actor=ACTOR)
    selector, canonical = device_secret.split(device_secret.shown(secret))
    row = Device.objects.get(selector=selector)
    assert (row.pk, bytes(row.digest), row.mode) == (device.pk, device_secret.digest(canonical), "independent")
    assert secret not in str(list(AuditEntry.objects.values_list("details", flat=True)))


def test_the_first_device_makes_the_main_view_independent_and_the_last_one_gone_primary_again() -> None:
    box = a_mailbox()
    assert main_mode(box) == "primary"
    devices.add(ANN, "Phone", actor=ACTOR)
    assert main_mode(box) == "independent"
    devices.revoke(ANN, "phone", actor=ACTOR)
    assert main_mode(box) == "primary"


def test_a_second_device_leaves_the_main_view_as_it_was_chosen() -> None:
    box = a_mailbox()
    devices.add(ANN, "Phone", actor=ACTOR)
    Device.objects.filter(mailbox=box, main=True).update(mode="primary")
    devices.add(ANN, "Tablet", actor=ACTOR, mode="peek")
    assert main_mode(box) == "primary"


def test_a_view_that_starts_with_all_hides_nothing() -> None:
    a_message(a_mailbox())
    device, _secret = devices.add(ANN, "Phone", actor=ACTOR, start="all")
    device.refresh_from_db()
    assert (device.hidden, device.hidden_messages, device.hidden_octets) == ("{}", 0, 0)


def test_a_view_that_starts_now_hides_every_earlier_arrival() -> None:
    box = a_mailbox()
    first = a_message(box, octets=10)
    a_message(box, octets=99, removed_at=timezone.now())
    last = a_message(box, octets=20)
    device, _secret = devices.add(ANN, "Phone", actor=ACTOR, start="now")
    device.refresh_from_db()
    assert device.hidden == f"{{[{first.added},{last.added + 1})}}"
    assert (device.hidden_messages, device.hidden_octets) == (2, 30)


def test_a_view_of_the_last_thirty_days_hides_what_arrived_before_by_date() -> None:
    box, now = a_mailbox(), timezone.now()
    old, recent = now - timedelta(days=31), now - timedelta(days=29)
    rows = [a_message(box, octets=n, arrived_at=at) for n, at in enumerate((old, old, recent, old, recent), start=1)]
    device, _secret = devices.add(ANN, "Phone", actor=ACTOR, start="30d")
    device.refresh_from_db()
    assert device.hidden == f"{{[{rows[0].added},{rows[1].added + 1}),[{rows[3].added},{rows[3].added + 1})}}"
    assert (device.hidden_messages, device.hidden_octets) == (3, 7)


def test_each_change_of_a_view_takes_the_next_change_number() -> None:
    box = a_mailbox()
    devices.add(ANN, "Phone", actor=ACTOR)
    devices.revoke(ANN, "Phone", actor=ACTOR)
    assert Mailbox.objects.get(pk=box.pk).change == box.change + 2


def test_a_name_is_free_again_once_its_device_is_revoked() -> None:
    a_mailbox()
    devices.add(ANN, "Phone", actor=ACTOR)
    devices.revoke(ANN, "PHONE", actor=ACTOR)
    devices.add(ANN, "phone", actor=ACTOR)
    assert [device.name for device in devices.listing(ANN)] == ["main", "phone"]


@pytest.mark.parametrize("name", ["phone", "Phone ", "MAIN"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    a_mailbox()
    devices.add(ANN, "Phone", actor=ACTOR)
    with pytest.raises(Rejected, match="has a device with that name"):
        devices.add(ANN, name, actor=ACTOR)


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "secondary"},
        {"start": "7d"},
        {"kind": "toaster"},
        {"name": " "},
        {"name": "x" * 61},
        {"name": "a\x1b[31m"},
    ],
)
def test_a_device_that_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    a_mailbox()
    with pytest.raises(Rejected):
        devices.add(ANN, actor=ACTOR, **({"name": "Phone"} | wrong))
    assert Device.objects.count() == 1


def test_a_device_gets_another_name_and_keeps_secret_and_view() -> None:
    a_mailbox()
    before, _secret = devices.add(ANN, "Phone", actor=ACTOR)
    renamed = devices.rename(ANN, "phone", "  Old   phone ", actor=ACTOR)
    assert (renamed.pk, renamed.name, bytes(renamed.digest)) == (before.pk, "Old phone", bytes(before.digest))
    assert AuditEntry.objects.latest("pk").details == {"device": "Old phone", "was": "Phone"}


def test_what_a_device_is_changes_once_and_nothing_else_does() -> None:
    a_mailbox()
    device, _secret = devices.add(ANN, "Phone", actor=ACTOR, kind="phone")
    for _again in range(2):
        assert devices.set_kind(ANN, "phone", "tablet", actor=ACTOR).kind == "tablet"
    entries = AuditEntry.objects.filter(verb="device.kind").values_list("details", flat=True)
    assert list(entries) == [{"device": "Phone", "kind": "tablet"}]
    for name, kind in (("Phone", "toaster"), ("main", "phone")):
        with pytest.raises(Rejected):
            devices.set_kind(ANN, name, kind, actor=ACTOR)
    assert Device.objects.get(pk=device.pk).kind == "tablet"


def test_nobody_says_what_a_device_is_by_its_name() -> None:
    a_mailbox()
    assert devices.add(ANN, "iPhone", actor=ACTOR)[0].kind == Device.Kind.OTHER


def test_a_name_that_differs_by_its_case_alone_can_be_mended() -> None:
    a_mailbox()
    devices.add(ANN, "phone", actor=ACTOR)
    assert devices.rename(ANN, "phone", "Phone", actor=ACTOR).name == "Phone"


@pytest.mark.parametrize(("name", "new"), [("Phone", "tablet"), ("Phone", "MAIN"), ("Phone", " "), ("main", "Mine")])
def test_a_name_that_is_taken_empty_or_of_the_main_password_is_refused(name: str, new: str) -> None:
    a_mailbox()
    for made in ("Phone", "Tablet"):
        devices.add(ANN, made, actor=ACTOR)
    with pytest.raises(Rejected):
        devices.rename(ANN, name, new, actor=ACTOR)
    assert sorted(Device.objects.values_list("name", flat=True)) == ["Phone", "Tablet", "main"]


def test_the_main_password_is_not_revoked_as_a_device() -> None:
    a_mailbox()
    with pytest.raises(Rejected, match="switch off POP with the main password"):
        devices.revoke(ANN, "main", actor=ACTOR)


def test_an_unknown_device_is_named() -> None:
    a_mailbox()
    with pytest.raises(Rejected, match="no device 'Phone'"):
        devices.revoke(ANN, "Phone", actor=ACTOR)


@pytest.mark.django_db(transaction=True)
def test_two_devices_of_one_name_at_once_are_one() -> None:
    a_mailbox()
    done = at_once(*[lambda: devices.add(ANN, "Phone", actor=ACTOR)] * 2)
    assert sum(isinstance(result, Rejected) for result in done) == 1
