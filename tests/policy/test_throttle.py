"""Who is throttled: what counts is distinct, what is exempt stays exempt, and memory is bounded. `now` is ours."""

from __future__ import annotations

import sys

import pytest

from mailstore.policy import throttle
from mailstore.policy.throttle import (
    DAY_SECONDS,
    FIRST_DELAY_SECONDS,
    HOUR_SECONDS,
    LONGEST_DELAY_SECONDS,
    UNKNOWN_ACCOUNTS_AN_HOUR,
    WRONG_PASSWORDS_A_DAY,
    Throttle,
    network,
)

ANN, HOME, ELSEWHERE = "ann@example.org", "192.0.2.7", "198.51.100.9"


def secret(number: int) -> bytes:
    return b"%016d" % number


def guess(
    memory: Throttle, times: int, *, client: str = ELSEWHERE, account: str = ANN, now: float = 0.0, first: int = 0
) -> float:
    """Try `times` distinct wrong passwords; return the last delay."""
    return [memory.failed(client, account, secret(first + n), now, unknown=False) for n in range(times)][-1]


def search(memory: Throttle, times: int, *, client: str = ELSEWHERE, now: float = 0.0) -> float:
    """Try `times` accounts that do not exist."""
    return [memory.failed(client, f"user{n}@example.org", secret(n), now, unknown=True) for n in range(times)][-1]


@pytest.mark.req("P-187")
def test_delays_grow_with_each_distinct_failure_up_to_a_bound() -> None:
    memory = Throttle()
    delays = [guess(memory, 1, first=n) for n in range(12)]
    assert delays[:4] == [FIRST_DELAY_SECONDS * factor for factor in (1, 2, 4, 8)]
    assert delays[-1] == LONGEST_DELAY_SECONDS


@pytest.mark.req("P-187")
def test_the_same_wrong_password_again_and_again_counts_once() -> None:
    memory = Throttle()
    delays = {memory.failed(ELSEWHERE, ANN, secret(1), 0.0, unknown=False) for _ in range(WRONG_PASSWORDS_A_DAY * 4)}
    assert delays == {FIRST_DELAY_SECONDS}
    assert not memory.barred(ELSEWHERE, ANN, 0.0)


def test_an_account_is_barred_after_enough_distinct_wrong_passwords_and_free_a_day_later() -> None:
    memory = Throttle()
    guess(memory, WRONG_PASSWORDS_A_DAY - 1)
    assert not memory.barred(ELSEWHERE, ANN, 0.0)
    guess(memory, 1, first=WRONG_PASSWORDS_A_DAY)
    assert memory.barred(ELSEWHERE, ANN, DAY_SECONDS - 1.0)
    assert not memory.barred(ELSEWHERE, ANN, DAY_SECONDS)
    assert guess(memory, 1, now=DAY_SECONDS) == FIRST_DELAY_SECONDS


def test_guesses_at_one_account_leave_the_others_alone() -> None:
    memory = Throttle()
    guess(memory, WRONG_PASSWORDS_A_DAY)
    assert not memory.barred(ELSEWHERE, "bob@example.org", 0.0)


@pytest.mark.req("P-192")
def test_an_address_with_a_good_sign_in_that_day_is_never_barred_by_strangers() -> None:
    memory = Throttle()
    memory.succeeded(HOME, 0.0)
    guess(memory, WRONG_PASSWORDS_A_DAY, now=1.0)
    assert memory.barred(ELSEWHERE, ANN, 2.0)
    assert not memory.barred(HOME, ANN, 2.0)
    assert memory.barred(HOME, ANN, DAY_SECONDS)


@pytest.mark.req("P-187")
@pytest.mark.parametrize(
    ("searched", "beside", "apart"),
    [
        ("192.0.2.1", "192.0.2.250", "192.0.3.1"),
        ("2001:db8:1::1", "2001:db8:1:ffff::2", "2001:db8:2::1"),
        ("::ffff:192.0.2.1", "192.0.2.250", "192.0.3.1"),
    ],
)
def test_unknown_accounts_bar_the_network_they_are_tried_from_for_an_hour(
    searched: str, beside: str, apart: str
) -> None:
    memory = Throttle()
    search(memory, UNKNOWN_ACCOUNTS_AN_HOUR - 1, client=searched)
    assert not memory.barred(beside, ANN, 0.0)
    search(memory, UNKNOWN_ACCOUNTS_AN_HOUR, client=searched)
    assert memory.barred(beside, ANN, HOUR_SECONDS - 1.0)
    assert not memory.barred(beside, ANN, HOUR_SECONDS)
    assert not memory.barred(apart, ANN, 0.0)


def test_one_unknown_account_counts_once_however_often_it_is_tried() -> None:
    memory = Throttle()
    for n in range(UNKNOWN_ACCOUNTS_AN_HOUR * 3):
        memory.failed(ELSEWHERE, "old@example.org", secret(n % 3), 0.0, unknown=True)
    assert not memory.barred(ELSEWHERE, ANN, 0.0)


@pytest.mark.req("P-188")
def test_an_unknown_account_waits_as_long_as_a_known_one() -> None:
    known, unknown = Throttle(), Throttle()
    for n in range(6):
        assert known.failed(ELSEWHERE, ANN, secret(n), 0.0, unknown=False) == unknown.failed(
            ELSEWHERE, ANN, secret(n), 0.0, unknown=True
        )


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "unix"])
def test_this_machine_is_not_a_network_of_strangers(client: str) -> None:
    memory = Throttle()
    search(memory, UNKNOWN_ACCOUNTS_AN_HOUR * 2, client=client)
    assert not memory.barred(client, ANN, 0.0)


def test_a_flood_of_names_fills_no_memory() -> None:
    """Names of nine thousand characters, each a new one: the tables keep to their limit, and the newest."""
    memory = Throttle()
    for n in range(throttle.TABLE_LIMIT + 1000):
        memory.failed(f"2001:db8:{n % 65536:x}::1", f"{n}-{'x' * 9000}", secret(0), 0.0, unknown=True)
        memory.succeeded(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", 0.0)
    assert len(memory._accounts) == len(memory._networks) == len(memory._known) == throttle.TABLE_LIMIT
    assert max(sys.getsizeof(name) for name in memory._accounts) < 400


def test_a_network_is_named_by_its_prefix_and_other_peers_by_themselves() -> None:
    assert network("192.0.2.7") == "192.0.2.0/24"
    assert network("2001:db8:1:2::7") == "2001:db8:1::/48"
    assert network("::ffff:192.0.2.7") == "192.0.2.0/24"
    assert network("unix") == "unix"
