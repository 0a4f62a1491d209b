"""What devices have by fetching it, kept as ranges of arrival numbers in the device's own row."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from mailstore.directory import devices
from mailstore.messages import recovery
from mailstore.models import Device, Message
from tests.site.mail import Mail
from tests.site.rows import ACTOR, PASSWORD, a_mailbox
from tests.site.worker import all_there, end_lanes

ANN = "ann@example.org"
# What a device deleted it has as much as what it fetched; for what its start left out it does not wait.
HAD = """
SELECT v.name, array_agg(m.added ORDER BY m.added) FILTER (WHERE v.hidden - v.skipped + v.confirmed @> m.added),
       array_agg(m.added ORDER BY m.added) FILTER (WHERE NOT v.hidden + v.confirmed @> m.added)
  FROM mailstore_device v JOIN mailstore_message m ON m.mailbox_id = v.mailbox_id
 GROUP BY v.id
"""


@pytest.fixture
def ann(mail: Mail) -> Mail:
    """Ann's mailbox with five messages, whose arrivals are the numbers 1 to 5."""
    a_mailbox()
    for _ in range(5):
        mail.deliver(ANN)
    return mail


def add(name: str, **how: str) -> str:
    return devices.add(ANN, name, actor=ACTOR, **how)[1]


def confirmed(name: str) -> str:
    return Device.objects.get(name=name).confirmed


def said() -> dict[str, tuple[list[int], list[int]]]:
    """Of each device what it has, and what it waits for, by arrival."""
    with connection.cursor() as cursor:
        cursor.execute(HAD)
        return {name: (has or [], waits or []) for name, has, waits in cursor.fetchall()}


def test_what_was_fetched_and_followed_is_had_by_that_device_alone(ann: Mail) -> None:
    phone, _tablet = add("phone"), add("tablet")
    ann.fetch(ANN, phone, 2, 4)
    assert said()["phone"] == ([2, 4], [1, 3, 5])
    assert said()["tablet"] == ([], [1, 2, 3, 4, 5])


def test_what_was_only_sent_is_not_had(ann: Mail) -> None:
    phone = add("phone")
    ann.end(ann.open(ANN, phone), fetched=[1, 2, 3], confirmed=2, reason="lost")
    assert said()["phone"] == ([1, 2], [3, 4, 5])


def test_confirmations_add_up(ann: Mail) -> None:
    phone = add("phone")
    ann.fetch(ANN, phone, 3)
    ann.fetch(ANN, phone, 5, 3)
    ann.fetch(ANN, phone, 1)
    assert said()["phone"] == ([1, 3, 5], [2, 4])


def test_what_was_restored_while_a_session_was_open_is_had_by_the_device_that_then_fetched_it(ann: Mail) -> None:
    """Its program knows the UIDL, so it will not ask again."""
    phone = add("phone")
    drop = ann.open(ANN, phone)
    key = Message.objects.get(added=2).pk
    recovery.remove(ANN, [key], actor=ACTOR)
    recovery.restore(ANN, recovery.Choice(keys=[key]), actor=ACTOR)
    ann.end(drop, fetched=[2])
    assert said()["phone"][0] == [Message.objects.get(pk=key).added] != [2]


def test_a_device_that_reads_in_order_keeps_one_range_whatever_else_happens(ann: Mail) -> None:
    phone, tablet = add("phone"), add("tablet")
    for _ in range(4):
        drop = ann.open(ANN, phone)
        ann.end(drop, fetched=range(1, drop.messages + 1))
        ann.remove(ann.open(ANN, tablet), 1)  # takes change numbers of its own
        ann.deliver(ANN)
    assert confirmed("phone").count("[") == 1
    assert said()["phone"][1] == [Message.objects.latest("added").added]


def test_one_that_deletes_some_and_keeps_others_keeps_one_range_too(ann: Mail) -> None:
    phone = add("phone")
    see = ann.open(ANN, PASSWORD)
    drop = ann.open(ANN, phone)
    ann.remove(drop, 1, 3)
    ann.end(drop, fetched=[2, 4, 5])
    assert confirmed("phone").count("[") == 1
    assert said()["phone"] == ([1, 2, 3, 4, 5], [])
    ann.end(see)


def test_a_device_has_nothing_of_what_its_start_left_out_and_does_not_wait_for_it(ann: Mail) -> None:
    phone = add("phone", start="now")
    ann.deliver(ANN)
    ann.deliver(ANN)
    ann.fetch(ANN, phone, 1)
    arrivals = list(Message.objects.order_by("added").values_list("added", flat=True))
    assert said()["phone"] == ([arrivals[5]], [arrivals[6]])


def test_a_device_row_that_is_locked_holds_nothing_up_and_is_told_again(ann: Mail) -> None:
    phone, tablet = add("phone"), add("tablet")
    with transaction.atomic():
        Device.objects.select_for_update().get(name="phone")
        ann.fetch(ANN, phone, 2)
        ann.fetch(ANN, tablet, 3)
        assert said()["phone"][0] == []
        assert said()["tablet"][0] == [3]
    ann.flush()
    assert said()["phone"][0] == [2]


def test_what_was_fetched_while_the_database_went_away_is_had_when_it_is_back(ann: Mail) -> None:
    phone = add("phone")
    drop = ann.open(ANN, phone)
    ann.worker.get(drop.listing)
    end_lanes()
    ann.end(drop, fetched=[1, 2])
    ann.worker.until(lambda: all_there(ann.accounts._lanes), "the lanes are back")
    ann.flush()
    assert said()["phone"][0] == [1, 2]


def test_a_message_that_left_meanwhile_or_was_destroyed_is_no_trouble(ann: Mail) -> None:
    phone = add("phone")
    drop = ann.open(ANN, phone)
    ann.worker.get(drop.listing)
    Message.objects.filter(added=1).delete()
    ann.end(drop, fetched=[1, 2])
    assert said()["phone"][0] == [2]
