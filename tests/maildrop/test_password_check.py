"""Slow checks: how many run, who waits, and that a client that left costs no hash. The hash waits for the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.hashers import make_password
from pytest_django import Settings

from mailstore.errors import Abandoned, Overloaded
from mailstore.maildrop.password_check import CHECK_THREADS, Check, Passwords
from mailstore.policy.hash_queue import NETWORK_LIMIT, QUEUE_LIMIT, QueueName
from tests.site import counting_hasher
from tests.site.counting_hasher import Gated
from tests.site.worker import Worker

ELSEWHERE = "198.51.100.0/24"


class Desk:
    """The checks of one process; `answers` is what each got, in order."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.passwords = Passwords()
        self.answers: list[tuple[str, object]] = []

    def check(
        self,
        *names: str,
        network: str | None = ELSEWHERE,
        queue: QueueName = QueueName.STRANGER,
        encoded: str | None = None,
        secret: str | None = None,
        quick: bool = False,
    ) -> list[Check]:
        """Ask for one check for each name, which is its password too unless there is a `secret`."""
        checks = [
            Check(
                account=name,
                network=network,
                queue=queue,
                secret=secret or name,
                encoded=encoded,
                done=self._teller(name),
                quick=quick,
            )
            for name in names
        ]
        self.act(lambda: [self.passwords.check(check) for check in checks])
        return checks

    def act(self, act: Callable[[], object]) -> None:
        """Do something on the loop."""

        async def run() -> None:
            act()

        self.worker.run(run())

    def until(self, claim: Callable[[], object], what: str) -> None:
        self.worker.until(claim, what)

    def _teller(self, name: str) -> Callable[[object], None]:
        return lambda answer: self.answers.append((name, answer))


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    """Every thread waits in a check of its own."""
    settings.PASSWORD_HASHERS = [counting_hasher.GATED]
    Gated.may_check.clear()
    Gated.checked.clear()
    worker = Worker()
    desk = Desk(worker)
    desk.check(*[f"held-{n}" for n in range(CHECK_THREADS)], network="192.0.2.0/24")
    desk.until(lambda: len(Gated.checked) == CHECK_THREADS, "the threads wait in their checks")
    yield desk
    Gated.may_check.set()
    desk.until(lambda: not desk.passwords.busy(), "all checks are over")
    desk.passwords.close()
    worker.close()


def let_checks_run(desk: Desk) -> list[str]:
    """Let all go on; return the passwords that were checked then, in order."""
    before = len(Gated.checked)
    Gated.may_check.set()
    desk.until(lambda: not desk.passwords.busy(), "all checks are over")
    return Gated.checked[before:]


def test_no_hash_is_made_for_a_client_that_left_while_its_check_waited(desk: Desk) -> None:
    gone = desk.check(*[f"gone-{n}" for n in range(40)])
    stays = desk.check("stays", network="203.0.113.0/24")
    desk.act(lambda: [desk.passwords.drop(check) for check in gone])
    assert {type(answer) for name, answer in desk.answers if name.startswith("gone")} == {Abandoned}
    assert let_checks_run(desk) == ["stays"]
    assert (stays[0].account, False) in desk.answers


def test_a_check_that_began_ends_by_itself_when_its_client_leaves(desk: Desk) -> None:
    Gated.may_check.set()
    desk.until(lambda: not desk.passwords.busy(), "all checks are over")
    Gated.may_check.clear()
    (check,) = desk.check("begun")
    desk.until(lambda: "begun" in Gated.checked, "it began")
    desk.act(lambda: desk.passwords.drop(check))
    assert ("begun", False) not in desk.answers
    let_checks_run(desk)
    assert [answer for name, answer in desk.answers if name == "begun"] == [False]


def test_a_newcomer_is_checked_before_two_hundred_guesses_that_wait(desk: Desk) -> None:
    desk.check(*[f"guess-{n}" for n in range(200)], network=None)
    desk.check("newcomer", network="203.0.113.0/24")
    assert let_checks_run(desk)[0] == "newcomer"


def test_an_account_in_its_own_network_is_checked_before_a_newcomer(desk: Desk) -> None:
    desk.check("known", network="192.0.2.0/24", queue=QueueName.KNOWN)
    desk.check("newcomer", network="203.0.113.0/24")
    assert let_checks_run(desk) == ["known", "newcomer"]


@pytest.mark.req("P-195")
def test_a_network_with_more_checks_than_can_wait_is_told_to_come_again_and_no_other_is(desk: Desk) -> None:
    desk.check("neighbour", network="203.0.113.0/24")
    desk.check(*[f"guess-{n}" for n in range(NETWORK_LIMIT + 7)])
    assert [(name, type(answer)) for name, answer in desk.answers] == [(f"guess-{n}", Overloaded) for n in range(7)]
    checked = let_checks_run(desk)
    assert len(checked) == NETWORK_LIMIT + 1
    assert "neighbour" in checked


@pytest.mark.req("P-195")
def test_more_checks_than_can_wait_in_all_are_told_to_come_again(desk: Desk) -> None:
    desk.check(*[f"webmail-{n}" for n in range(QUEUE_LIMIT + 7)], network=None)
    assert [type(answer) for _name, answer in desk.answers] == [Overloaded] * 7
    assert len(let_checks_run(desk)) == QUEUE_LIMIT


def test_a_client_that_closed_its_side_is_checked_behind_all_others_and_still_gets_its_answer(desk: Desk) -> None:
    (half,) = desk.check("half-closed", network="203.0.113.0/24")
    desk.check(*[f"guess-{n}" for n in range(5)])
    desk.act(lambda: desk.passwords.give_way(half))
    assert let_checks_run(desk)[-1] == "half-closed"
    assert ("half-closed", False) in desk.answers


def test_of_a_flood_of_clients_that_closed_their_side_most_are_not_checked(desk: Desk) -> None:
    flood = desk.check(*[f"closed-{n}" for n in range(60)])
    desk.act(lambda: [desk.passwords.give_way(check) for check in flood])
    desk.until(lambda: sum(type(answer) is Abandoned for _name, answer in desk.answers) >= 44, "most are told")


def test_one_hash_serves_all_who_wait_with_the_same_right_password(desk: Desk) -> None:
    encoded = make_password("right")
    desk.check(*["ann"] * 20, secret="right", encoded=encoded, quick=True)
    assert let_checks_run(desk) == ["right"]
    assert [answer for name, answer in desk.answers if name == "ann"] == [True] * 20


def test_a_wrong_password_costs_its_hash_each_time(desk: Desk) -> None:
    encoded = make_password("right")
    desk.check(*["ann"] * 3, secret="wrong", encoded=encoded, quick=True)
    assert let_checks_run(desk) == ["wrong"] * 3
