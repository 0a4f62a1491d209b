"""Several connections: what becomes of one lane, or of one mailbox, is not what becomes of the others."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

from mailstore.errors import MailError, Unavailable
from mailstore.models import Message
from mailstore.pg.pipeline import StatementFailed
from mailstore.ports import Delivered
from mailstore.sql.connection_pool import WRITE_LANES, ConnectionPool
from mailstore.sql.statements.view import LOCK
from tests.site.mail import Mail
from tests.site.rows import a_mailbox
from tests.site.worker import LANES, Worker, all_there, conninfo, end_lanes

ANN, BOB = "ann@example.org", "bob@example.org"


def test_a_lane_that_is_away_takes_no_writes_while_others_are_there(lanes: ConnectionPool, worker: Worker) -> None:
    """The harm: a lost lane has nothing to do, so it was chosen for every write, and each of them failed."""
    write = ((LOCK, (b"{}",)),)
    with connection.cursor() as cursor, closed_to_newcomers():
        # By its pid: lanes of the test before may still be ending.
        ended = lanes._writes[0]._connection
        assert ended is not None
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [ended.backend_pid])
        worker.until(lambda: not all_there(lanes), "the end is noticed")
        answers = worker.asked(*(lambda done: lanes.write(write, done) for _ in range(50)))
    assert [answer for answer in answers if isinstance(answer, MailError)] == []
    worker.until(lambda: all_there(lanes), "the lane is back")


@contextmanager
def closed_to_newcomers() -> Iterator[None]:
    """Connections to the test's database stay; one that is ended cannot come back."""
    name = sql.Identifier(connection.settings_dict["NAME"])
    with psycopg.connect(make_conninfo(conninfo(), dbname="postgres"), autocommit=True) as other:
        other.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        try:
            yield
        finally:
            other.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


def test_without_any_lane_a_write_is_told_to_try_again(worker: Worker) -> None:
    lanes = ConnectionPool("host=/nowhere dbname=none", write_lanes=2)
    worker.run(lanes.open())
    assert isinstance(worker.ask(lambda done: lanes.write(((LOCK, (b"{}",)),), done)), Unavailable)
    lanes.close()


def test_a_database_that_goes_and_comes_is_told_once_for_all_lanes_in_one_plain_line(
    lanes: ConnectionPool, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    """The harm: one restart was a line for each lane of each worker, with libpq's advice and its line ends in it."""
    caplog.set_level(logging.INFO, "popadmin.database")
    with connection.cursor(), closed_to_newcomers():  # ours is there before new ones are refused
        end_lanes()
        worker.until(lambda: not any(lane.connected for lane in (lanes._reads, *lanes._writes)), "all are lost")
    worker.until(lambda: all_there(lanes), "all are back")
    messages = [record.getMessage() for record in caplog.records]
    assert [text.partition(",")[0] for text in messages] == ["the database cannot be reached", "the database is back"]
    assert "\n" not in messages[0]


def test_one_locked_mailbox_does_not_hold_the_mail_of_the_others(mail: Mail) -> None:
    """The harm: deliveries to a mailbox that something keeps locked stood on every lane, and with them all mail."""
    a_mailbox(ANN)
    locked = a_mailbox(BOB)
    ann, bob = mail.recipient(ANN), mail.recipient(BOB)
    answers: list[object] = []

    async def deliver_to_bob() -> None:
        mail.intake(b"Subject: x\r\n\r\n").commit([bob], 14, lambda _, answer: answers.append(answer))

    with psycopg.connect(conninfo()) as other:
        other.execute("SELECT 1 FROM mailstore_mailbox WHERE id = %s FOR UPDATE", [locked.pk])
        mail.worker.run(deliver_to_bob())
        mail.worker.until(lambda: waiting() == 1, "a lane waits for the mailbox")
        for _ in range(WRITE_LANES - 1):
            mail.worker.run(deliver_to_bob())
        assert isinstance(mail.commit([ann], b"Subject: y\r\n\r\n")[0], Delivered)
        assert waiting() <= 1
        mail.worker.until(lambda: len(answers) == WRITE_LANES, "the others are told")
        assert {type(answer) for answer in answers} == {StatementFailed}
        assert {answer.sqlstate for answer in answers} == {"55P03"}
    assert Message.objects.count() == 1
    assert isinstance(mail.commit([bob], b"Subject: z\r\n\r\n")[0], Delivered)


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN ({LANES})")
        return int(cursor.fetchone()[0])
