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
)

ANN, BOB, HOME, ELSEWHERE = "ann@example.org", "bob@example.org", "192.0.2.7", "198.51.100.9"


def secret(number: int) -> bytes:
    return b"%016d" % number


def fail(
    memory: Throttle,
    account: str = ANN,
    password: bytes = b"wrong",
    now: float = 0.0,
    *,
    client: str = ELSEWHERE,
    unknown: bool = False,
    loopback: bool = False,
) -> float:
    return memory.failed(client, account, password, now, unknown=unknown, loopback=loopback)


def barred(
    memory: Throttle, account: str = ANN, now: float = 0.0, *, client: str = ELSEWHERE, loopback: bool = False
) -> bool:
    return memory.barred(client, account, now, loopback=loopback)


def guess(
    memory: Throttle, times: int, *, account: str = ANN, now: float = 0.0, first: int = 0, **where: object
) -> float:
    """Try `times` distinct wrong passwords; return the last delay."""
    return [fail(memory, account, secret(first + n), now, **where) for n in range(times)][-1]


def search(memory: Throttle, times: int, *, now: float = 0.0, unknown: bool = True, **where: object) -> list[float]:
    """Try `times` accounts once each."""
    return [fail(memory, f"user{n}@example.org", now=now, unknown=unknown, **where) for n in range(times)]


# --- how late an answer comes ---------------------------------------------------------------------------------------


@pytest.mark.req("P-187")
def test_delays_grow_with_each_distinct_failure_up_to_a_bound() -> None:
    memory = Throttle()
    delays = [guess(memory, 1, first=n) for n in range(WRONG_PASSWORDS_A_DAY)]
    assert delays[:4] == [FIRST_DELAY_SECONDS * factor for factor in (1, 2, 4, 8)]
    assert set(delays[6:]) == {LONGEST_DELAY_SECONDS}


def test_a_failure_that_was_no_guess_is_forgotten() -> None:
    memory = Throttle()
    for number in range(WRONG_PASSWORDS_A_DAY):
        fail(memory, f"user{number}@example.org", b"previous")
        memory.forgive(ELSEWHERE, f"user{number}@example.org", b"previous")
        fail(memory, ANN, secret(number))
        memory.forgive(ELSEWHERE, ANN, secret(number))
    assert fail(memory, BOB) == FIRST_DELAY_SECONDS
    assert not barred(memory)


def test_forgiving_one_password_leaves_the_others_counted() -> None:
    memory = Throttle()
    guess(memory, 3)
    memory.forgive(ELSEWHERE, ANN, secret(1))
    assert guess(memory, 1, first=9) == FIRST_DELAY_SECONDS * 4
    memory.forgive(HOME, "nobody@example.org", b"never tried")


@pytest.mark.req("P-187")
def test_the_same_wrong_password_again_and_again_counts_once() -> None:
    memory = Throttle()
    assert {fail(memory) for _ in range(WRONG_PASSWORDS_A_DAY * 4)} == {FIRST_DELAY_SECONDS}
    assert not barred(memory)


@pytest.mark.req("P-189")
@pytest.mark.parametrize("probes", [1, 3, 19])
@pytest.mark.parametrize("loopback", [False, True])
def test_how_late_an_answer_comes_does_not_tell_whether_the_account_exists(probes: int, loopback: bool) -> None:
    """A searcher who has tried some names asks for one more, once or with several passwords."""
    known, unknown = Throttle(), Throttle()
    for memory in (known, unknown):
        search(memory, probes, loopback=loopback)
    delays = [
        [fail(memory, ANN, secret(n), unknown=memory is unknown, loopback=loopback) for n in range(9)]
        for memory in (known, unknown)
    ]
    assert delays[0] == delays[1]


@pytest.mark.req("P-189")
def test_searching_gets_slower_with_each_name_alike_for_names_that_exist() -> None:
    found, missed = search(Throttle(), 12, unknown=False), search(Throttle(), 12)
    assert found == missed
    assert found[:4] == [FIRST_DELAY_SECONDS * factor for factor in (1, 2, 4, 8)]


def test_a_network_with_a_good_sign_in_that_day_does_not_wait_for_what_others_fail_at_there() -> None:
    memory = Throttle()
    memory.succeeded(HOME, ANN, 0.0)
    assert search(memory, 9, client="192.0.2.200")[-1] == FIRST_DELAY_SECONDS


# --- who is not let try ---------------------------------------------------------------------------------------------


def test_an_account_is_barred_from_one_network_after_enough_distinct_wrong_passwords_and_free_a_day_later() -> None:
    memory = Throttle()
    guess(memory, WRONG_PASSWORDS_A_DAY - 1)
    assert not barred(memory)
    guess(memory, 1, first=WRONG_PASSWORDS_A_DAY)
    assert barred(memory, now=DAY_SECONDS - 1.0)
    assert barred(memory, client="198.51.100.200")
    assert not barred(memory, now=DAY_SECONDS)
    assert guess(memory, 1, now=DAY_SECONDS) == FIRST_DELAY_SECONDS


def test_guesses_at_one_account_leave_the_others_alone() -> None:
    memory = Throttle()
    guess(memory, WRONG_PASSWORDS_A_DAY)
    assert not barred(memory, BOB)


@pytest.mark.req("P-192")
@pytest.mark.parametrize("new_address", ["192.0.2.7", "203.0.113.77", "2001:db8::7"])
def test_guessers_all_over_the_world_never_bar_an_owner_at_an_address_nobody_has_seen(new_address: str) -> None:
    memory = Throttle()
    for place in range(40):
        guess(memory, WRONG_PASSWORDS_A_DAY, client=f"10.0.{place}.1", first=1000 * place)
    assert not barred(memory, client=new_address)
    assert fail(memory, client=new_address) == LONGEST_DELAY_SECONDS


@pytest.mark.req("P-192")
def test_where_an_account_signed_in_that_day_a_neighbour_bars_it_neither_by_guesses_nor_by_a_search() -> None:
    memory = Throttle()
    memory.succeeded(HOME, ANN, 0.0)
    guess(memory, WRONG_PASSWORDS_A_DAY, client="192.0.2.200", now=1.0)
    search(memory, UNKNOWN_ACCOUNTS_AN_HOUR, client="192.0.2.200", now=1.0)
    assert not barred(memory, client="192.0.2.9", now=2.0)
    assert barred(memory, client="192.0.2.9", now=DAY_SECONDS)


def test_a_good_sign_in_of_his_own_lets_nobody_guess_at_another_account_without_end() -> None:
    memory = Throttle()
    memory.succeeded(ELSEWHERE, BOB, 0.0)
    guess(memory, WRONG_PASSWORDS_A_DAY)
    assert barred(memory, ANN)
    assert not barred(memory, BOB)


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
    assert not barred(memory, client=beside)
    search(memory, UNKNOWN_ACCOUNTS_AN_HOUR, client=searched)
    assert barred(memory, client=beside, now=HOUR_SECONDS - 1.0)
    assert not barred(memory, client=beside, now=HOUR_SECONDS)
    assert not barred(memory, client=apart)


def test_accounts_that_exist_do_not_bar_an_office_with_many_old_passwords() -> None:
    memory = Throttle()
    search(memory, UNKNOWN_ACCOUNTS_AN_HOUR * 3, unknown=False)
    assert not barred(memory)


def test_one_unknown_account_counts_once_however_often_it_is_tried() -> None:
    memory = Throttle()
    for n in range(UNKNOWN_ACCOUNTS_AN_HOUR * 3):
        fail(memory, "old@example.org", secret(n % 3), unknown=True)
    assert not barred(memory)


def test_this_machine_is_not_a_network_of_strangers_but_who_comes_by_its_proxy_is() -> None:
    memory = Throttle()
    search(memory, UNKNOWN_ACCOUNTS_AN_HOUR * 2, client="127.0.0.1", loopback=True)
    assert not barred(memory, client="127.0.0.1", loopback=True)
    search(memory, UNKNOWN_ACCOUNTS_AN_HOUR, client="127.0.0.1")
    assert barred(memory, client="127.0.0.1")
    assert not barred(memory, client="127.0.0.1", loopback=True)


def test_a_flood_of_names_fills_no_memory() -> None:
    """Names of nine thousand characters, each a new one: the tables keep to their limit, and the newest."""
    memory = Throttle()
    for n in range(throttle.TABLE_LIMIT + 1000):
        name = f"{n}-{'x' * 9000}"
        fail(memory, name, client=f"2001:db8:{n % 65536:x}::1", unknown=True)
        memory.succeeded(f"10.{n >> 8}.{n & 255}.1", name, 0.0)
    tables = [getattr(memory, name) for name in vars(memory)]
    assert {len(table) for table in tables} == {throttle.TABLE_LIMIT}
    assert max(sys.getsizeof(name) for table in tables for name in table) < 400


# --- what comes before the try --------------------------------------------------------------------------------------


def wait(memory: Throttle, account: str = ANN, *, client: str = ELSEWHERE, loopback: bool = False) -> float:
    return memory.wait_seconds(client, account, 0.0, loopback=loopback)


def test_a_network_that_failed_waits_before_its_next_try_and_another_network_does_not() -> None:
    memory = Throttle()
    assert wait(memory) == 0.0
    search(memory, 3)
    assert wait(memory) == wait(memory, BOB) == FIRST_DELAY_SECONDS * 4
    assert wait(memory, client=HOME) == 0.0
    search(memory, 30)
    assert wait(memory) == LONGEST_DELAY_SECONDS


def test_guesses_at_an_account_elsewhere_delay_no_try_of_the_owner() -> None:
    memory = Throttle()
    guess(memory, WRONG_PASSWORDS_A_DAY)
    assert wait(memory, client=HOME) == 0.0
    assert fail(memory, client=HOME) == LONGEST_DELAY_SECONDS, "but a wrong one is refused late"


def test_what_comes_before_a_try_is_never_more_than_its_refusal_waits() -> None:
    memory = Throttle()
    for n in range(12):
        before = wait(memory)
        assert before <= fail(memory, ANN, secret(n))


@pytest.mark.req("P-189")
def test_the_wait_before_a_try_does_not_tell_whether_the_account_exists() -> None:
    known, unknown = Throttle(), Throttle()
    for memory in (known, unknown):
        for n in range(5):
            fail(memory, ANN, secret(n), unknown=memory is unknown)
    assert wait(known) == wait(unknown) > 0.0


def test_on_this_machine_the_failures_of_others_delay_nobody() -> None:
    memory = Throttle()
    search(memory, 9, client="127.0.0.1", loopback=True)
    assert wait(memory, client="127.0.0.1", loopback=True) == 0.0
    guess(memory, 2, client="127.0.0.1", loopback=True)
    assert wait(memory, client="127.0.0.1", loopback=True) == FIRST_DELAY_SECONDS * 2


def test_the_same_wrong_password_again_is_known_there_for_a_day_unless_it_is_forgiven() -> None:
    memory = Throttle()
    assert not memory.tried(HOME, ANN, secret(1), 0.0)
    memory.failed(HOME, ANN, secret(1), 0.0, unknown=False, loopback=False)
    assert memory.tried(HOME, ANN, secret(1), 1.0)
    assert not memory.tried(HOME, ANN, secret(2), 1.0)
    assert not memory.tried(ELSEWHERE, ANN, secret(1), 1.0)
    assert not memory.tried(HOME, ANN, secret(1), 86_401.0)
    memory.forgive(HOME, ANN, secret(1))
    assert not memory.tried(HOME, ANN, secret(1), 1.0)
