"""Every caller is answered, even if its own code cannot take the answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from mailstore.bodies.files import FileBodies
from mailstore.delivery.delivery import StoredDelivery
from mailstore.errors import MailError, Unavailable
from mailstore.maildrop.password_check import Check, Passwords
from mailstore.pg.callback import tell
from mailstore.policy.hash_queue import QueueName
from tests.site.worker import Worker


class Clumsy:
    """Takes errors, and falls over anything else. `answers` keeps what it was given."""

    def __init__(self) -> None:
        self.answers: list[object] = []

    def __call__(self, answer: object) -> None:
        self.answers.append(answer)
        if not isinstance(answer, MailError):
            raise ZeroDivisionError

    def got_bug_report(self) -> bool:
        return [isinstance(answer, Unavailable) for answer in self.answers] == [False, True]


def test_a_bug_is_logged_once_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    clumsy = Clumsy()
    with caplog.at_level(logging.ERROR):
        tell(clumsy, "an answer")
    assert clumsy.got_bug_report()
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]


def test_an_error_that_cannot_be_taken_is_not_told_again() -> None:
    answers: list[object] = []

    def falls_over(answer: object) -> None:
        answers.append(answer)
        raise ZeroDivisionError

    tell(falls_over, Unavailable("away"))
    assert len(answers) == 1


def assert_bug_reported(worker: Worker, ask: Callable[[Clumsy], None]) -> None:
    clumsy = Clumsy()

    async def begin() -> None:
        ask(clumsy)

    worker.run(begin())
    worker.until(clumsy.got_bug_report, "the bug is told")
    assert worker.faults == []


def test_a_bug_behind_a_checked_password_leaves_nobody_waiting(worker: Worker) -> None:
    passwords = Passwords()
    check = Check(account="a", network=None, queue=QueueName.LAST, secret="secret", encoded=None, done=None)
    assert_bug_reported(worker, lambda clumsy: passwords.check(replace(check, done=clumsy)))
    passwords.close()


def test_a_bug_behind_a_stored_body_leaves_no_delivery_waiting(
    worker: Worker, delivery: StoredDelivery, bodies: FileBodies
) -> None:
    draft = bodies.begin()
    draft.write(b"Subject: x\r\n\r\n")
    assert_bug_reported(worker, lambda clumsy: delivery.store(draft, 14, clumsy))
