"""Mail that waited only for a device that counts no more leaves in batches; a change in between is seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from mailstore.directory import devices
from mailstore.models import Device, Mailbox, Message
from mailstore.retention import sweep
from mailstore.sql import device_settlement, locked_batch
from mailstore.sql.locked_batch import ROWS_AT_FIRST, Pace
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.mail import Mail
from tests.site.rows import ACTOR, a_mailbox, a_message, at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("counters_are_sums")]
ANN = "ann@example.org"
MUCH = 3 * ROWS_AT_FIRST  # so it takes batches


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast the machine is, it takes several."""
    monkeypatch.setattr(locked_batch, "HOLD_SECONDS", 0.0)


def waiting(messages: int = MUCH) -> Mailbox:
    """A mailbox whose phone has deleted all, and whose laptop nothing."""
    box = a_mailbox(ANN)
    for _ in range(messages):
        a_message(box, octets=10)
    devices.add(ANN, "phone", actor=ACTOR)
    devices.add(ANN, "laptop", actor=ACTOR)
    box.refresh_from_db()
    Device.objects.filter(name="phone").update(
        hidden=f"{{[0,{box.change + 1})}}", hidden_messages=messages, hidden_octets=10 * messages
    )
    return box


def live() -> int:
    return Message.objects.filter(removed=None).count()


def lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The laptop is revoked by a process that dies behind the commit."""
    with monkeypatch.context() as dying:
        dying.setattr(device_settlement, "PATIENCE_SECONDS", -1.0)
        devices.revoke(ANN, "laptop", actor=ACTOR)


def interrupted(after: int, act: Callable[[], object] = lambda: None) -> Callable[[], bool]:
    """Says stop at its call number `after`; at each before it, act."""
    calls = iter(range(after))

    def stop() -> bool:
        act()
        return next(calls, None) is None

    return stop


def test_a_revocation_that_is_cut_short_is_gone_on_with_by_the_next_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    box = waiting()
    lost(monkeypatch)
    assert live() == MUCH, "nobody sees them, and they count until the sweep comes"
    assert sweep.preview(EmptyBodyStore()).settled == MUCH
    device_settlement.let_go([box.pk], moment=timezone.now, stop=interrupted(3), pace=Pace())
    assert 0 < live() < MUCH
    rest = live()
    assert sweep.run(EmptyBodyStore()).settled == rest
    assert (live(), set(Message.objects.values_list("removed_why", flat=True))) == (0, {"settled"})


def test_the_mailbox_is_free_between_two_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    box = waiting()
    lost(monkeypatch)
    free: list[object] = []

    def somebody_else_writes() -> None:
        free.extend(at_once(lambda: Mailbox.objects.filter(pk=box.pk).update(web=True)))

    stop = interrupted(1000, somebody_else_writes)
    device_settlement.let_go([box.pk], moment=timezone.now, stop=stop, pace=Pace())
    assert live() == 0
    assert len(free) >= 3
    assert set(free) == {1}
    assert Message.objects.values("removed").distinct().count() >= 2, "each batch has its own change"


def test_a_device_that_is_made_in_between_misses_nothing_of_what_is_left(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = waiting()
    lost(monkeypatch)
    made: list[str] = []
    left: list[int] = []

    def connect() -> None:
        if live() < MUCH and not made:
            made.append(devices.add(ANN, "tablet", actor=ACTOR)[1])
            left.append(live())

    device_settlement.let_go([box.pk], moment=timezone.now, stop=interrupted(1000, connect), pace=Pace())
    assert left[0] > 0
    assert live() == left[0] == len(mail.uidls(mail.open(ANN, made[0])))


def test_a_session_that_deletes_meanwhile_and_a_delivery_are_as_without_it(
    mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = waiting()
    tablet = devices.add(ANN, "tablet", actor=ACTOR, mode="peek")[1]
    lost(monkeypatch)
    drop = mail.open(ANN, tablet)

    def use() -> None:
        mail.deliver(ANN)

    device_settlement.let_go([box.pk], moment=timezone.now, stop=interrupted(1000, use), pace=Pace())
    assert len(mail.uidls(drop)) == MUCH, "its list is that of its beginning"
    assert mail.remove(drop, 1, 2) == 2
    assert live() == Message.objects.count() - MUCH > 0


def test_what_a_removed_mailbox_holds_rests_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(3)
    lost(monkeypatch)
    Mailbox.objects.update(removed_at=timezone.now() - timedelta(hours=1))
    assert sweep.run(EmptyBodyStore()).settled == 0
    assert live() == 3
