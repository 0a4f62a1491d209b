"""The last sign-ins: written in batches, tried again when that fails, within bounds."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from mailstore.errors import MailError, Unavailable
from mailstore.maildrop.last_sign_in import BATCH_LIMIT, KEPT_LIMIT, REFUSALS_AT_MOST, LastSignIns
from mailstore.models import Device, Mailbox
from mailstore.pg.pipeline import Answer, StatementFailed, Steps
from mailstore.sql.connection_pool import ConnectionPool
from tests.site.rows import a_mailbox
from tests.site.worker import Worker, all_there, end_lanes


class FailingLanes:
    """Lanes that answer every write with `error`; `batches` keeps how many devices each was to tell."""

    def __init__(self, error: MailError) -> None:
        self.error = error
        self.batches: list[int] = []

    def write(self, steps: Steps, done: Answer) -> None:
        (_, (devices, _, _)) = steps[0]
        self.batches.append(devices.count(b",") + 1)
        done(self.error)


REFUSED = StatementFailed("canceling statement due to lock timeout", "55P03")
AWAY = Unavailable("the database is away")


def test_sign_ins_seen_while_the_database_was_away_are_written_when_it_is_back(
    worker: Worker, lanes: ConnectionPool, last_sign_ins: LastSignIns
) -> None:
    """The harm: a device that had signed in looked silent, and stopped counting."""
    a_mailbox()
    device = Device.objects.get()
    last_sign_ins.add(device.pk, "192.0.2.7")
    end_lanes()
    worker.until(lambda: isinstance(worker.ask(last_sign_ins.flush), Unavailable), "a batch fails")
    worker.until(lambda: all_there(lanes), "the lanes are back")
    worker.get(last_sign_ins.flush)
    device.refresh_from_db()
    assert device.last_client == "192.0.2.7"


def test_a_refused_batch_is_logged_each_time_and_given_up_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    lanes = FailingLanes(REFUSED)
    last_sign_ins = LastSignIns(lanes)
    last_sign_ins.add(1, "192.0.2.7")
    for _ in range(REFUSALS_AT_MOST + 2):
        last_sign_ins.flush()
    assert lanes.batches == [1] * REFUSALS_AT_MOST
    assert [record.getMessage() for record in caplog.records] == [
        f"the last sign-ins of 1 devices were not written: {REFUSED}"
    ] * REFUSALS_AT_MOST


def test_a_database_that_is_away_is_not_told_again_by_each_batch(caplog: pytest.LogCaptureFixture) -> None:
    lanes = FailingLanes(AWAY)
    last_sign_ins = LastSignIns(lanes)
    last_sign_ins.add(1, "192.0.2.7")
    for _ in range(10):
        last_sign_ins.flush()
    assert lanes.batches == [1] * 10
    assert caplog.records == []


def test_a_newer_sign_in_wins_over_one_that_could_not_be_written(
    worker: Worker, lanes: ConnectionPool, last_sign_ins: LastSignIns
) -> None:
    a_mailbox()
    device = Device.objects.get()
    last_sign_ins.add(device.pk, "192.0.2.7")
    end_lanes()
    outcomes: list[object] = []

    async def fail_then_see() -> None:
        last_sign_ins.flush(outcomes.append)
        last_sign_ins.add(device.pk, "192.0.2.8")

    worker.run(fail_then_see())
    worker.until(lambda: outcomes, "the batch is answered")
    worker.until(lambda: all_there(lanes), "the lanes are back")
    worker.get(last_sign_ins.flush)
    device.refresh_from_db()
    assert device.last_client == "192.0.2.8"


def test_what_waits_for_the_database_is_bounded_and_a_full_moment_is_no_storm_of_writes() -> None:
    lanes = FailingLanes(AWAY)
    last_sign_ins = LastSignIns(lanes)
    for device in range(10 * BATCH_LIMIT):
        last_sign_ins.add(device, "192.0.2.7")
    assert set(lanes.batches) == {BATCH_LIMIT}
    assert len(lanes.batches) <= 10 * BATCH_LIMIT / (BATCH_LIMIT - KEPT_LIMIT)


@pytest.mark.parametrize("error", [REFUSED, AWAY], ids=["refused", "away"])
def test_a_network_waits_for_the_database_within_bounds_or_is_said_to_be_lost(error: MailError) -> None:
    """The harm: a network that was not written stood as known for a day, so nobody tried again."""
    last_sign_ins = LastSignIns(FailingLanes(error))
    last_sign_ins.add(1, "192.0.2.7")
    lost: list[int] = []
    users = range(3 * KEPT_LIMIT)
    for user in users:
        last_sign_ins.know(user, "192.0.2.0/24", lost=partial(lost.append, user))
    last_sign_ins.flush()
    assert len(lost) == len(set(lost))
    assert set(users) - set(lost) == (set() if error is REFUSED else set(range(KEPT_LIMIT)))


def test_a_mailbox_knows_the_last_sign_in_of_any_device_and_is_not_written_at_each(
    worker: Worker, lanes: ConnectionPool, last_sign_ins: LastSignIns
) -> None:
    mailbox = a_mailbox()
    device = Device.objects.get()
    last_sign_ins.add(device.pk, "192.0.2.7")
    worker.get(last_sign_ins.flush)
    mailbox.refresh_from_db()
    device.refresh_from_db()
    first = mailbox.last_sign_in_at
    assert first == device.last_sign_in_at is not None
    last_sign_ins.add(device.pk, "192.0.2.8")
    worker.get(last_sign_ins.flush)
    mailbox.refresh_from_db()
    device.refresh_from_db()
    assert (mailbox.last_sign_in_at, device.last_client) == (first, "192.0.2.8")
    Mailbox.objects.update(last_sign_in_at=first - timedelta(minutes=6))
    last_sign_ins.add(device.pk, "192.0.2.9")
    worker.get(last_sign_ins.flush)
    mailbox.refresh_from_db()
    assert mailbox.last_sign_in_at > first
