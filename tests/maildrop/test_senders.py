"""Who may send: the switches of the mailbox and of the device, the diary, and the cost of every refusal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from mailstore.directory import devices
from mailstore.errors import BadCredentials, DeviceMayNotSend, MainPasswordBarred, SendingOff
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.maildrop.senders import StoredSenders
from mailstore.models import Device, DiarySession, KnownNetwork, Mailbox, User
from mailstore.ports import Credentials, Sender
from mailstore.sql.connection_pool import ConnectionPool
from tests.site import counting_hasher
from tests.site.counting_hasher import cost
from tests.site.refused_names import heard
from tests.site.rows import ACTOR, PASSWORD, a_mailbox
from tests.site.worker import Worker

ANN, HOME = "ann@example.org", "192.0.2.7"
Ended = DiarySession.Ended


@pytest.fixture(autouse=True)
def cheap_hash(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [counting_hasher.PATH]


class Door:
    def __init__(self, worker: Worker, lanes: ConnectionPool) -> None:
        self.worker = worker
        self.last_sign_ins = LastSignIns(lanes)
        self.senders = StoredSenders(lanes, self.last_sign_ins)

    def sign_in(self, secret: str = PASSWORD, address: str = ANN) -> object:
        credentials = Credentials(address, secret, HOME, loopback=False, tls="TLS")
        return self.worker.ask(lambda done: self.senders.sign_in(credentials, done))

    def diary(self) -> list[tuple[str, str | None, int]]:
        """What each row says: how it ended, the device, how often."""
        self.worker.ask(lambda done: self.senders.diary.flush(lambda: done(None), every=True))
        return [*DiarySession.objects.order_by("pk").values_list("ended", "device__name", "sessions")]


@pytest.fixture
def door(worker: Worker, lanes: ConnectionPool) -> Iterator[Door]:
    door = Door(worker, lanes)
    yield door
    door.senders.close()


def test_the_main_password_sends_under_the_own_address_and_the_diary_tells_it(door: Door) -> None:
    a_mailbox()
    assert door.sign_in() == door.sign_in(address="Ann@Example.ORG") == Sender(ANN, "main")
    assert door.diary() == [(Ended.SENT, "main", 2)]


def test_a_device_sends_only_if_it_may(door: Door) -> None:
    a_mailbox()
    _phone, secret = devices.add(ANN, "Phone", actor=ACTOR)
    assert type(door.sign_in(secret)) is DeviceMayNotSend
    devices.set_may_send(ANN, "Phone", True, actor=ACTOR)
    assert door.sign_in(secret) == Sender(ANN, "Phone")
    assert sorted(door.diary()) == [(Ended.NO_SENDER, "Phone", 1), (Ended.SENT, "Phone", 1)]


def test_a_main_password_that_mail_programs_may_not_use_does_not_send_either(door: Door) -> None:
    a_mailbox()
    Mailbox.objects.update(main_pop=False)
    assert type(door.sign_in()) is MainPasswordBarred
    assert door.diary() == [(Ended.MAIN_OFF, "main", 1)]


def test_pop_off_does_not_stop_sending_and_sending_off_is_said_after_the_right_password_alone(door: Door) -> None:
    a_mailbox()
    Mailbox.objects.update(pop=False)
    assert door.sign_in() == Sender(ANN, "main")
    Mailbox.objects.update(pop=True, smtp=False)
    assert type(door.sign_in()) is SendingOff
    assert type(door.sign_in("wrong")) is BadCredentials


def test_a_stranger_costs_what_a_wrong_password_costs(door: Door) -> None:
    a_mailbox()
    refused = [
        cost(lambda: door.sign_in("wrong")),
        cost(lambda: door.sign_in(PASSWORD, "nobody@example.org")),
    ]
    User.objects.update(is_active=False)
    refused.append(cost(door.sign_in))
    assert [(type(answer), hashes) for answer, hashes in refused] == [(BadCredentials, 1)] * 3


def test_sending_is_no_sight_of_a_device_that_has_fetched_nothing_yet(door: Door) -> None:
    a_mailbox()
    door.sign_in()
    door.worker.ask(door.last_sign_ins.flush)
    assert Device.objects.get().last_sign_in_at is None
    assert Mailbox.objects.get().last_sign_in_at is None
    assert KnownNetwork.objects.count() == 1


def test_an_unknown_name_is_told_to_administrators_with_its_protocol(door: Door) -> None:
    a_mailbox()
    door.sign_in(PASSWORD, "nobody@example.org")
    door.worker.ask(lambda done: door.senders.refused_names.flush(lambda: done(None), every=True))
    assert heard().values_list("name", "protocol").get() == ("nobody@example.org", "smtp")
