"""A device that ends: its open session takes nothing more, and the mail that only it had not deleted goes its way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailstore.errors import BadCredentials
from mailstore.models import Device, Message
from mailstore.store import devices, mailboxes
from tests.store.mail import Mail, assert_counters_are_sums
from tests.store.site import ACTOR, a_mailbox

ANN = "ann@example.org"


@pytest.fixture(autouse=True)
def counters(transactional_db: None) -> Iterator[None]:
    yield
    assert_counters_are_sums()


@pytest.fixture
def ann(mail: Mail) -> Mail:
    """Ann's mailbox with three messages."""
    a_mailbox()
    for _ in range(3):
        mail.deliver(ANN)
    return mail


def add(name: str, **how: str) -> str:
    return devices.add(ANN, name, actor=ACTOR, **how)[1]


def bar_main() -> None:
    mailboxes.ensure(ANN, actor=ACTOR, main_pop=False)


def seen(mail: Mail, secret: str) -> int:
    return len(mail.uidls(mail.open(ANN, secret)))


def delete(mail: Mail, secret: str, *numbers: int) -> None:
    assert mail.remove(mail.open(ANN, secret), *numbers) == len(numbers)


def live() -> list[bool]:
    """Of each message in order of arrival: is it still in the live maildrop."""
    return [removed is None for removed in Message.objects.order_by("added").values_list("removed", flat=True)]


# --- an open session ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["independent", "primary", "peek"])
def test_the_open_session_of_a_stolen_phone_removes_nothing_after_it_was_revoked(ann: Mail, mode: str) -> None:
    phone = ann.open(ANN, add("phone", mode=mode))
    devices.revoke(ANN, "phone", actor=ACTOR)
    assert isinstance(ann.remove(phone, 1, 2), BadCredentials)
    assert live() == [True, True, True]
    assert Device.objects.get(name="phone").hidden == "{}"


@pytest.mark.parametrize("others", [[], ["phone"]])
def test_the_open_session_of_a_barred_main_password_removes_nothing(ann: Mail, others: list[str]) -> None:
    main = ann.open(ANN)
    for name in others:
        add(name)
    bar_main()
    assert isinstance(ann.remove(main, 1), BadCredentials)
    assert live() == [True, True, True]
