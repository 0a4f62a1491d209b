"""A device that ends: its open session takes nothing more, and the mail that only it had not deleted goes its way."""

from __future__ import annotations

import pytest

from mailstore.directory import devices, mailboxes
from mailstore.directory.outcome import Rejected
from mailstore.errors import BadCredentials
from mailstore.models import AuditEntry, Device, Mailbox, Message
from tests.site.mail import Mail
from tests.site.rows import ACTOR, PASSWORD, a_mailbox

pytestmark = pytest.mark.usefixtures("counters_are_sums")

ANN = "ann@example.org"


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


# --- mail that waited for it alone --------------------------------------------------------------------------------


def test_mail_that_only_a_lost_laptop_had_not_deleted_is_seen_by_nobody_and_leaves(ann: Mail) -> None:
    phone, _laptop = add("phone"), add("laptop")
    delete(ann, phone, 1, 3)
    assert live() == [True, True, True]
    devices.revoke(ANN, "laptop", actor=ACTOR)
    assert live() == [False, True, False]
    assert [row.removed_why for row in Message.objects.exclude(removed=None)] == ["settled", "settled"]
    assert seen(ann, phone) == Mailbox.objects.get().messages == 1
    assert AuditEntry.objects.latest("pk").details == {"device": "laptop"}


def test_what_the_main_password_had_deleted_leaves_when_it_is_the_last_again(ann: Mail) -> None:
    add("phone")
    delete(ann, PASSWORD, 2)
    devices.revoke(ANN, "phone", actor=ACTOR)
    assert live() == [True, False, True]
    assert seen(ann, PASSWORD) == 2


def test_mail_that_only_the_main_password_had_not_deleted_leaves_when_it_is_barred_from_pop(ann: Mail) -> None:
    phone = add("phone")
    seen(ann, PASSWORD)
    delete(ann, phone, 1)
    assert live() == [True, True, True]
    bar_main()
    assert live() == [False, True, True]
    assert AuditEntry.objects.latest("pk").details == {"changes": {"main_pop": [True, False]}}


def test_mail_that_another_device_still_waits_for_stays(ann: Mail) -> None:
    phone, _laptop, _tablet = add("phone"), add("laptop"), add("tablet")
    delete(ann, phone, 1)
    devices.revoke(ANN, "laptop", actor=ACTOR)
    assert live() == [True, True, True]


@pytest.mark.parametrize("start", ["now", "30d"])
def test_mail_that_nobody_deleted_is_not_removed_because_a_new_device_left_it_out(ann: Mail, start: str) -> None:
    Message.objects.update(arrived_at="2020-01-01T00:00:00Z")
    bar_main()
    add("old phone")
    new = add("new phone", start=start)
    ann.deliver(ANN)
    delete(ann, new, 1)
    devices.revoke(ANN, "old phone", actor=ACTOR)
    assert live() == [True, True, True, False]


def test_mail_left_out_by_one_device_and_deleted_by_another_leaves(ann: Mail) -> None:
    phone = add("phone")
    add("tablet", start="now")
    add("laptop")
    delete(ann, phone, 2)
    devices.revoke(ANN, "laptop", actor=ACTOR)
    assert live() == [True, False, True]


def test_with_nobody_left_who_counts_nothing_leaves(ann: Mail) -> None:
    bar_main()
    phone, archive = add("phone"), add("archive", mode="peek")
    add("laptop")
    delete(ann, phone, 1)
    delete(ann, archive, 1, 2)
    devices.revoke(ANN, "phone", actor=ACTOR)
    devices.revoke(ANN, "laptop", actor=ACTOR)
    assert live() == [True, True, True]


def test_an_open_session_is_steady_while_a_revocation_removes_mail(ann: Mail) -> None:
    phone, archive = add("phone"), add("archive", mode="peek")
    add("laptop")
    delete(ann, phone, 1)
    drop = ann.open(ANN, archive)
    devices.revoke(ANN, "laptop", actor=ACTOR)
    assert len(ann.uidls(drop)) == 3
    assert seen(ann, archive) == 2


# --- another mode -------------------------------------------------------------------------------------------------


def test_a_device_that_only_peeks_from_now_on_is_waited_for_no_more(ann: Mail) -> None:
    phone, laptop = add("phone"), add("laptop")
    delete(ann, phone, 1, 3)
    assert devices.set_mode(ANN, "Laptop", "peek", actor=ACTOR).mode == "peek"
    assert live() == [False, True, False]
    assert seen(ann, laptop) == 1
    assert AuditEntry.objects.latest("pk").details == {
        "device": "laptop",
        "mode": "peek",
        "was": "independent",
    }


def test_an_open_session_follows_the_new_mode_at_its_quit(ann: Mail) -> None:
    phone = add("phone")
    add("tablet")
    drop = ann.open(ANN, phone)
    devices.set_mode(ANN, "phone", "primary", actor=ACTOR)
    assert ann.remove(drop, 1) == 1
    assert live() == [False, True, True]


def test_the_main_password_can_be_primary_beside_others_and_signs_in_no_more_when_told_so(ann: Mail) -> None:
    add("phone")
    assert Device.objects.get(main=True).mode == "independent"
    devices.set_mode(ANN, "main", "primary", actor=ACTOR)
    delete(ann, PASSWORD, 1)
    assert live() == [False, True, True]
    devices.set_mode(ANN, "main", "none", actor=ACTOR)
    assert not Mailbox.objects.get().main_pop
    assert Device.objects.get(main=True).mode == "primary"
    devices.set_mode(ANN, "main", "independent", actor=ACTOR)
    assert seen(ann, PASSWORD) == 2


def test_mail_that_waited_for_the_main_password_leaves_when_it_has_no_pop(ann: Mail) -> None:
    phone = add("phone")
    seen(ann, PASSWORD)
    delete(ann, phone, 2)
    devices.set_mode(ANN, "main", "none", actor=ACTOR)
    assert live() == [True, False, True]


def test_the_same_mode_again_changes_and_records_nothing(ann: Mail) -> None:
    add("phone")
    entries = AuditEntry.objects.count()
    devices.set_mode(ANN, "phone", "independent", actor=ACTOR)
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize(
    ("name", "mode"), [("main", "independent"), ("main", "peek"), ("phone", "none"), ("main", "x")]
)
def test_a_mode_that_cannot_be_is_refused(ann: Mail, name: str, mode: str) -> None:
    if name == "phone":
        add("phone")
    with pytest.raises(Rejected):
        devices.set_mode(ANN, name, mode, actor=ACTOR)
    assert Device.objects.get(main=True).mode == ("primary" if name == "main" else "independent")
