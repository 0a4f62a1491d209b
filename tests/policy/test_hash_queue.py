"""Whose slow hash is next: few recent ones first, the newest first, nobody starves his neighbours. `now` is ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstore.policy import hash_queue
from mailstore.policy.hash_queue import (
    LAST_LIMIT,
    LAST_SECONDS,
    NETWORK_LIMIT,
    PAIR_LIMIT,
    QUEUE_LIMIT,
    STRANGERS_TURN,
    WAIT_SECONDS,
    WINDOW_SECONDS,
    HashQueue,
    QueueName,
    Waiter,
)

HERE, THERE = "192.0.2.0/24", "198.51.100.0/24"


def waiter(account: str, network: str | None = HERE, queue: QueueName = QueueName.STRANGER) -> Waiter:
    return Waiter(account=account, network=network, queue=queue)


class Desk:
    """A queue with as many waiters as a test adds; `losers` are those that gave up for others."""

    def __init__(self) -> None:
        self.queue = HashQueue[Waiter]()
        self.losers: list[Waiter] = []

    def add(self, *waiters: Waiter, now: float = 0.0) -> None:
        for each in waiters:
            loser = self.queue.add(each, now)
            if loser is not None:
                self.losers.append(loser)

    def serve(self, times: int, now: float = 0.0) -> list[Waiter]:
        """One after the other, each finished before the next."""
        served = []
        for _ in range(times):
            found = self.queue.take(now)
            if found is None:
                break
            served.append(found)
            self.queue.finished(found)
        return served


@pytest.fixture
def desk() -> Desk:
    return Desk()


def names(waiters: list[Waiter]) -> list[str]:
    return [each.account for each in waiters]


# --- fairness -----------------------------------------------------------------------------------------------------


def test_a_newcomer_of_another_network_is_next_however_many_guesses_of_one_network_wait(desk: Desk) -> None:
    desk.add(*[waiter(f"guess-{n}") for n in range(NETWORK_LIMIT)])
    desk.serve(3)
    desk.add(waiter("newcomer", THERE), waiter("later-guess"))
    assert names(desk.serve(1)) == ["newcomer"]


def test_a_newcomer_is_next_however_many_networks_guess_at_one_account(desk: Desk) -> None:
    desk.add(*[waiter("target", f"10.0.{n}.0/24") for n in range(200)])
    desk.serve(3)
    desk.add(waiter("newcomer", THERE), waiter("target", "10.1.0.0/24"))
    assert names(desk.serve(1)) == ["newcomer"]


def test_a_newcomer_waits_for_no_flood_of_networks_and_names_that_came_before(desk: Desk) -> None:
    desk.add(*[waiter(f"guess-{n}", f"10.0.{n}.0/24") for n in range(200)])
    desk.add(waiter("newcomer", THERE))
    assert names(desk.serve(1)) == ["newcomer"]


def test_a_newcomer_who_waits_is_served_before_a_burst_at_few_accounts_that_comes_later(desk: Desk) -> None:
    desk.add(waiter("newcomer", THERE))
    desk.add(*[waiter(f"guessed-{n % 20}", f"10.0.{n}.0/24") for n in range(200)])
    assert names(desk.serve(1)) == ["newcomer"]


def test_who_asked_much_a_minute_ago_is_as_good_as_new(desk: Desk) -> None:
    desk.add(*[waiter(f"guess-{n}") for n in range(5)])
    desk.serve(5)
    desk.add(waiter("there", THERE), waiter("here"), now=WINDOW_SECONDS)
    assert names(desk.serve(1, now=WINDOW_SECONDS)) == ["here"]


@given(st.lists(st.integers(2, 12), min_size=2, max_size=8))
def test_networks_that_wait_get_the_same_share(sizes: list[int]) -> None:
    desk = Desk()
    desk.add(*[waiter(f"{net}-{n}", f"10.0.{net}.0/24") for net, size in enumerate(sizes) for n in range(size)])
    while all(any(each.network == f"10.0.{net}.0/24" for each in waiting(desk)) for net in range(len(sizes))):
        desk.serve(1)
    shares = [
        size - sum(each.network == f"10.0.{net}.0/24" for each in waiting(desk)) for net, size in enumerate(sizes)
    ]
    assert max(shares) - min(shares) <= 1


def waiting(desk: Desk) -> list[Waiter]:
    return [each for queue in desk.queue._queues.values() for each in queue]


def test_one_account_has_one_check_at_a_time(desk: Desk) -> None:
    desk.add(waiter("ann"), waiter("ann", THERE), waiter("bob"))
    first, second = desk.queue.take(0.0), desk.queue.take(0.0)
    assert first
    assert second
    assert {first.account, second.account} == {"ann", "bob"}
    assert desk.queue.take(0.0) is None
    desk.queue.finished(first if first.account == "ann" else second)
    assert names(desk.serve(1)) == ["ann"]


# --- queues --------------------------------------------------------------------------------------------------------


def test_an_account_that_is_known_in_its_network_goes_before_strangers_and_leaves_them_every_fourth_turn(
    desk: Desk,
) -> None:
    known = [waiter(f"known-{n}", queue=QueueName.KNOWN) for n in range(2 * STRANGERS_TURN)]
    strangers = [waiter(f"stranger-{n}", f"10.0.{n}.0/24") for n in range(4)]
    desk.add(*known, *strangers)
    turns = [each.queue for each in desk.serve(2 * STRANGERS_TURN)]
    assert turns == ([QueueName.KNOWN] * (STRANGERS_TURN - 1) + [QueueName.STRANGER]) * 2


def test_guesses_at_an_account_elsewhere_take_no_turn_of_where_it_is_known(desk: Desk) -> None:
    desk.add(*[waiter("ann", f"10.0.{n}.0/24") for n in range(100)])
    guess = desk.queue.take(0.0)
    desk.add(waiter("ann", THERE, QueueName.KNOWN))
    found = desk.queue.take(0.0)
    assert guess
    assert guess.queue is QueueName.STRANGER
    assert found
    assert found.queue is QueueName.KNOWN, "also while a guess at that account is checked"


def test_who_may_be_gone_is_served_when_nobody_else_waits_and_only_now_and_then(desk: Desk) -> None:
    desk.add(*[waiter(f"gone-{n}", queue=QueueName.LAST) for n in range(3)], waiter("here"))
    assert names(desk.serve(9)) == ["here", "gone-2"]
    assert desk.queue.pause_seconds(0.1) == pytest.approx(LAST_SECONDS - 0.1)
    assert names(desk.serve(9, now=LAST_SECONDS)) == ["gone-1"]
    desk.serve(9, now=2 * LAST_SECONDS)
    assert desk.queue.pause_seconds(9.0) is None


# --- bounds -------------------------------------------------------------------------------------------------------


def test_one_network_that_asks_too_much_loses_its_own_oldest_check_and_no_others(desk: Desk) -> None:
    desk.add(waiter("there", THERE))
    attempts = [waiter(f"guess-{n}") for n in range(NETWORK_LIMIT + 3)]
    desk.add(*attempts)
    assert desk.losers == attempts[:3]


def test_this_machine_is_no_network_of_strangers(desk: Desk) -> None:
    desk.add(*[waiter(f"webmail-{n}", None) for n in range(QUEUE_LIMIT)])
    assert desk.losers == []


def test_a_known_pair_and_the_last_lane_have_bounds_of_their_own(desk: Desk) -> None:
    devices = [waiter("ann", queue=QueueName.KNOWN) for _ in range(PAIR_LIMIT + 1)]
    gone = [waiter(f"gone-{n}", f"10.0.{n}.0/24", QueueName.LAST) for n in range(LAST_LIMIT + 2)]
    desk.add(*devices, waiter("bob", queue=QueueName.KNOWN), *gone)
    assert desk.losers == [devices[0], *gone[:2]]


def test_a_full_lane_loses_who_asked_most(desk: Desk) -> None:
    desk.add(*[waiter(f"busy-{n}") for n in range(9)])
    desk.serve(8)
    others = [waiter(f"guess-{n}", f"10.{n // 250}.{n % 250}.0/24") for n in range(QUEUE_LIMIT - 1)]
    desk.add(*others)
    desk.add(newcomer := waiter("newcomer", THERE))
    assert names(desk.losers) == ["busy-0"]
    desk.add(waiter("one more", "203.0.113.0/24"))
    assert desk.losers[1] is others[0]
    assert desk.queue.remove(newcomer)


def test_a_check_that_waited_too_long_gives_up(desk: Desk) -> None:
    desk.add(old := waiter("old"))
    desk.add(waiter("young"), now=1.0)
    assert desk.queue.expired(WAIT_SECONDS - 0.1) == []
    assert desk.queue.expired(WAIT_SECONDS) == [old]
    assert names(desk.serve(9)) == ["young"]


def test_who_is_removed_has_no_turn(desk: Desk) -> None:
    desk.add(gone := waiter("gone"))
    assert desk.queue.remove(gone)
    assert not desk.queue.remove(gone)
    assert desk.queue.take(0.0) is None
    assert len(desk.queue) == 0


def test_what_is_counted_is_bounded(desk: Desk) -> None:
    for n in range(hash_queue.TABLE_LIMIT):
        desk.add(waiter(f"guess-{n}-{'x' * 9000}", f"10.{n >> 8}.{n & 255}.0/24"))
        desk.serve(1)
    assert len(desk.queue._recent._counts) == hash_queue.TABLE_LIMIT
    assert max(map(len, desk.queue._recent._counts)) < 300
