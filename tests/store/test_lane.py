"""One connection, many questions: each is answered exactly once, whatever becomes of its neighbours or the server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from mailstore.errors import MailError, Unavailable
from mailstore.store.lane import BINARY, Lane, Statement, StatementFailed
from popadmin.up.postgres import Cluster
from tests.store.worker import Ask, Worker

ECHO = Statement(b"echo", "SELECT $1::text")
OCTETS = Statement(b"octets", "SELECT $1::bytea", formats=(BINARY,), binary=True)
DIVIDE = Statement(b"divide", "SELECT 1 / $1::int")
SLEEP = Statement(b"sleep", "SELECT pg_sleep($1::float8)")
ADD = Statement(b"add", "UPDATE counter SET n = n + $1::int")
LOCK = Statement(b"lock", "SELECT 1 FROM counter FOR UPDATE")
COUNT = Statement(b"count", "SELECT n FROM counter")
STATEMENTS = (ECHO, OCTETS, DIVIDE, SLEEP, ADD, LOCK, COUNT)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A Postgres that these tests may stop; fixtures of the run's own must not suffer."""
    folder = Path(tempfile.mkdtemp(prefix="popadmin-lane-"))
    cluster = Cluster(folder, durable=False)
    cluster.start()
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE TABLE counter (n int)")
        connection.execute("INSERT INTO counter VALUES (0)")
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


@pytest.fixture
def sql(cluster: Cluster) -> Iterator[psycopg.Connection]:
    if cluster.ended():
        cluster.start()
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute("UPDATE counter SET n = 0")
        yield connection


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture
def lane(cluster: Cluster, sql: psycopg.Connection, worker: Worker) -> Iterator[Lane]:
    with opened(cluster, worker) as lane:
        yield lane


@contextmanager
def opened(cluster: Cluster, worker: Worker) -> Iterator[Lane]:
    with ThreadPoolExecutor(1) as pool:
        lane = Lane(cluster.conninfo(), STATEMENTS, pool)
        worker.run(lane.open())
        tick(lane, worker)
        yield lane
        lane.close()


def tick(lane: Lane, worker: Worker) -> None:
    """As a listener does, only more often."""
    lane.tick()
    worker.loop.call_later(0.05, tick, lane, worker)


def asking(lane: Lane, statement: Statement, *parameters: bytes | None) -> Ask:
    return lambda done: lane.run(((statement, parameters),), done)


def value(answer: object) -> bytes:
    assert not isinstance(answer, MailError), answer
    return answer.get_value(0, 0)


def end_backend(sql: psycopg.Connection) -> None:
    ended = sql.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'popadmin'"
    ).fetchall()
    assert ended == [(True,)]


def busy(sql: psycopg.Connection) -> bool:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'popadmin' AND state = 'active'"
    return sql.execute(asked).fetchone() == (1,)


def back(lane: Lane, worker: Worker) -> bool:
    return not isinstance(worker.ask(asking(lane, ECHO, b"there")), MailError)


def test_a_thousand_questions_at_once_are_answered_each_with_its_own_answer(lane: Lane, worker: Worker) -> None:
    asked = [b"%d" % n for n in range(1000)]
    assert [value(answer) for answer in worker.asked(*(asking(lane, ECHO, text) for text in asked))] == asked


def test_an_error_never_touches_the_questions_beside_it(lane: Lane, worker: Worker) -> None:
    before, failed, after = worker.asked(
        asking(lane, ECHO, b"before"), asking(lane, DIVIDE, b"0"), asking(lane, ECHO, b"after")
    )
    assert (value(before), value(after)) == (b"before", b"after")
    assert isinstance(failed, StatementFailed)
    assert failed.sqlstate == "22012"


def test_a_transaction_of_several_steps_is_all_or_none(lane: Lane, worker: Worker, sql: psycopg.Connection) -> None:
    steps = ((ADD, (b"5",)), (DIVIDE, (b"0",)), (ADD, (b"5",)))
    failed, beside = worker.asked(lambda done: lane.run(steps, done), asking(lane, ADD, b"1"))
    assert isinstance(failed, StatementFailed)
    assert not isinstance(beside, MailError)
    assert sql.execute("SELECT n FROM counter").fetchone() == (1,)


def test_a_statement_behind_a_lock_sees_what_was_committed_while_it_waited(
    lane: Lane, worker: Worker, sql: psycopg.Connection, cluster: Cluster
) -> None:
    answers: list[object] = []

    async def begin() -> None:
        lane.run(((LOCK, ()), (COUNT, ())), answers.append)

    with psycopg.connect(cluster.conninfo()) as other:
        other.execute("UPDATE counter SET n = 41")
        worker.run(begin())
        worker.until(lambda: busy(sql), "the lane waits for the lock")
        assert answers == []
    worker.until(lambda: answers, "the lock is free")
    assert value(answers[0]) == b"41"


@pytest.mark.parametrize(
    "octets",
    [b"a\0b", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", b"'; DROP TABLE counter; --", b"x" * 1_000_000],
    ids=["nul", "not-utf8", "surrogate", "overlong", "quote", "a-million"],
)
def test_no_parameter_breaks_the_connection(lane: Lane, worker: Worker, octets: bytes) -> None:
    odd, beside, binary = worker.asked(
        asking(lane, ECHO, octets), asking(lane, ECHO, b"fine"), asking(lane, OCTETS, octets)
    )
    assert isinstance(odd, StatementFailed) or value(odd) == octets.partition(b"\0")[0]
    assert value(beside) == b"fine"
    assert value(binary) == octets


def test_null_is_not_an_empty_text(lane: Lane, worker: Worker) -> None:
    null, empty = worker.asked(asking(lane, ECHO, None), asking(lane, ECHO, b""))
    assert (value(null), value(empty)) == (None, b"")


def test_an_answer_that_cannot_be_taken_leaves_the_others_theirs(lane: Lane, worker: Worker) -> None:
    def falling_over(done: object) -> None:
        lane.run(((ECHO, (b"x",)),), lambda _: 1 / 0)
        done("asked")

    _, beside = worker.asked(falling_over, asking(lane, ECHO, b"beside"))
    assert value(beside) == b"beside"


def test_a_backend_that_is_ended_costs_its_questions_an_error_and_nothing_else(
    lane: Lane, worker: Worker, sql: psycopg.Connection
) -> None:
    answers: list[object] = []

    async def begin() -> None:
        lane.run(((SLEEP, (b"60",)),), answers.append)
        for _ in range(50):
            lane.run(((ECHO, (b"behind",)),), answers.append)

    worker.run(begin())
    worker.until(lambda: busy(sql), "the lane's backend works")
    end_backend(sql)
    worker.until(lambda: len(answers) >= 51, "every question is answered")
    assert all(isinstance(answer, Unavailable) for answer in answers)
    worker.until(lambda: back(lane, worker), "the lane came back")
    assert len(answers) == 51
    assert worker.faults == []


def test_an_idle_lane_notices_that_its_backend_was_ended_and_comes_back(
    lane: Lane, worker: Worker, sql: psycopg.Connection
) -> None:
    end_backend(sql)
    worker.until(lambda: back(lane, worker), "the lane came back")


def test_an_answer_that_cannot_be_taken_at_the_end_of_a_connection_does_not_keep_the_lane_away(
    lane: Lane, worker: Worker, sql: psycopg.Connection
) -> None:
    answers: list[object] = []

    async def begin() -> None:
        lane.run(((SLEEP, (b"60",)),), lambda _: 1 / 0)
        lane.run(((ECHO, (b"behind",)),), answers.append)

    worker.run(begin())
    worker.until(lambda: busy(sql), "the lane's backend works")
    end_backend(sql)
    worker.until(lambda: answers, "the neighbour is answered")
    worker.until(lambda: back(lane, worker), "the lane came back")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_server_that_goes_and_comes_is_found_again(
    cluster: Cluster, lane: Lane, worker: Worker, sql: psycopg.Connection, end: str
) -> None:
    sql.close()
    if end == "stop":
        cluster.stop()
    else:
        cluster._process.kill()
        cluster._process.wait(30)
    worker.until(lambda: not back(lane, worker), "the lane noticed")
    answers = worker.asked(*(asking(lane, ECHO, b"x") for _ in range(100)))
    assert all(isinstance(answer, Unavailable) for answer in answers)
    cluster.start()
    worker.until(lambda: back(lane, worker), "the lane came back")


def test_a_lane_opened_while_the_server_is_away_begins_when_it_is_there(cluster: Cluster, worker: Worker) -> None:
    cluster.stop()
    with opened(cluster, worker) as lane:
        assert isinstance(worker.ask(asking(lane, ECHO, b"x")), Unavailable)
        cluster.start()
        worker.until(lambda: back(lane, worker), "the lane came")


def test_a_closed_lane_answers_and_does_not_come_back(lane: Lane, worker: Worker) -> None:
    async def close() -> None:
        lane.close()

    worker.run(close())
    assert isinstance(worker.ask(asking(lane, ECHO, b"x")), Unavailable)


def test_a_lane_takes_no_more_questions_than_it_can_bear(lane: Lane, worker: Worker) -> None:
    answers = worker.asked(asking(lane, SLEEP, b"0.1"), *(asking(lane, ECHO, b"x") for _ in range(5100)))
    refused = [answer for answer in answers if isinstance(answer, Unavailable)]
    assert len(refused) == 101
