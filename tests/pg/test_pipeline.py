"""One connection, many questions: each is answered exactly once, whatever becomes of its neighbours or the server."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from mailstore.errors import MailError, Overloaded, Unavailable
from mailstore.pg import open_connection
from mailstore.pg.pipeline import STUCK_SECONDS, OutageLog, Pipeline, StatementFailed
from mailstore.pg.statement import BINARY, Statement
from popadmin.up.postgres import Cluster
from tests.site.worker import Ask, Worker

ECHO = Statement(b"echo", "SELECT $1::text")
OCTETS = Statement(b"octets", "SELECT $1::bytea", formats=(BINARY,), binary=True)
DIVIDE = Statement(b"divide", "SELECT 1 / $1::int")
SLEEP = Statement(b"sleep", "SELECT pg_sleep($1::float8)")
ADD = Statement(b"add", "UPDATE counter SET n = n + $1::int")
LOCK = Statement(b"lock", "SELECT 1 FROM counter FOR UPDATE")
COUNT = Statement(b"count", "SELECT n FROM counter")
DURABILITY = Statement(b"durability", "SELECT current_setting('synchronous_commit')")
STATEMENTS = (ECHO, OCTETS, DIVIDE, SLEEP, ADD, LOCK, COUNT, DURABILITY)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A Postgres that these tests may stop; fixtures of the run's own must not suffer."""
    folder = Path(tempfile.mkdtemp(prefix="popadmin-lane-"))
    cluster = Cluster(folder, durable=False)
    cluster.start()
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute("SET synchronous_commit = on")  # the first test may kill the server
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
def lane(cluster: Cluster, sql: psycopg.Connection, worker: Worker) -> Iterator[Pipeline]:
    with opened(cluster, worker) as lane:
        yield lane


@contextmanager
def opened(cluster: Cluster, worker: Worker, **options: str) -> Iterator[Pipeline]:
    with ThreadPoolExecutor(1) as pool:
        lane = Pipeline(
            make_conninfo(cluster.conninfo(), **options), STATEMENTS, pool, on_connect=lambda: None, outages=OutageLog()
        )
        worker.run(lane.open())
        tick(lane, worker)
        yield lane
        lane.close()


def tick(lane: Pipeline, worker: Worker) -> None:
    """As a listener does, only more often."""
    lane.tick()
    worker.loop.call_later(0.05, tick, lane, worker)


def asking(lane: Pipeline, statement: Statement, *parameters: bytes | None) -> Ask:
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


def back(lane: Pipeline, worker: Worker) -> bool:
    return not isinstance(worker.ask(asking(lane, ECHO, b"there")), MailError)


def test_a_thousand_questions_at_once_are_answered_each_with_its_own_answer(lane: Pipeline, worker: Worker) -> None:
    asked = [b"%d" % n for n in range(1000)]
    assert [value(answer) for answer in worker.asked(*(asking(lane, ECHO, text) for text in asked))] == asked


def test_an_error_never_touches_the_questions_beside_it(lane: Pipeline, worker: Worker) -> None:
    before, failed, after = worker.asked(
        asking(lane, ECHO, b"before"), asking(lane, DIVIDE, b"0"), asking(lane, ECHO, b"after")
    )
    assert (value(before), value(after)) == (b"before", b"after")
    assert isinstance(failed, StatementFailed)
    assert failed.sqlstate == "22012"


def test_a_transaction_of_several_steps_is_all_or_none(lane: Pipeline, worker: Worker, sql: psycopg.Connection) -> None:
    steps = ((ADD, (b"5",)), (DIVIDE, (b"0",)), (ADD, (b"5",)))
    failed, beside = worker.asked(lambda done: lane.run(steps, done), asking(lane, ADD, b"1"))
    assert isinstance(failed, StatementFailed)
    assert not isinstance(beside, MailError)
    assert sql.execute("SELECT n FROM counter").fetchone() == (1,)


def test_a_statement_behind_a_lock_sees_what_was_committed_while_it_waited(
    lane: Pipeline, worker: Worker, sql: psycopg.Connection, cluster: Cluster
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
    "data",
    [b"a\0b", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", b"'; DROP TABLE counter; --", b"x" * 1_000_000],
    ids=["nul", "not-utf8", "surrogate", "overlong", "quote", "a-million"],
)
def test_no_parameter_breaks_the_connection(lane: Pipeline, worker: Worker, data: bytes) -> None:
    odd, beside, binary = worker.asked(
        asking(lane, ECHO, data), asking(lane, ECHO, b"fine"), asking(lane, OCTETS, data)
    )
    assert isinstance(odd, StatementFailed) or value(odd) == data.partition(b"\0")[0]
    assert value(beside) == b"fine"
    assert value(binary) == data


def test_null_is_not_an_empty_text(lane: Pipeline, worker: Worker) -> None:
    null, empty = worker.asked(asking(lane, ECHO, None), asking(lane, ECHO, b""))
    assert (value(null), value(empty)) == (None, b"")


def test_an_answer_that_cannot_be_taken_leaves_the_others_theirs(lane: Pipeline, worker: Worker) -> None:
    def falling_over(done: object) -> None:
        lane.run(((ECHO, (b"x",)),), lambda _: 1 / 0)
        done("asked")

    _, beside = worker.asked(falling_over, asking(lane, ECHO, b"beside"))
    assert value(beside) == b"beside"


def test_a_backend_that_is_ended_costs_its_questions_an_error_and_nothing_else(
    lane: Pipeline, worker: Worker, sql: psycopg.Connection
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
    lane: Pipeline, worker: Worker, sql: psycopg.Connection
) -> None:
    end_backend(sql)
    worker.until(lambda: back(lane, worker), "the lane came back")


def test_an_answer_that_cannot_be_taken_at_the_end_of_a_connection_does_not_keep_the_lane_away(
    lane: Pipeline, worker: Worker, sql: psycopg.Connection
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
    cluster: Cluster, lane: Pipeline, worker: Worker, sql: psycopg.Connection, end: str
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


def test_a_closed_lane_answers_and_does_not_come_back(lane: Pipeline, worker: Worker) -> None:
    async def close() -> None:
        lane.close()

    worker.run(close())
    assert isinstance(worker.ask(asking(lane, ECHO, b"x")), Unavailable)


def test_a_lane_takes_no_more_questions_than_it_can_bear(lane: Pipeline, worker: Worker) -> None:
    answers = worker.asked(asking(lane, SLEEP, b"0.1"), *(asking(lane, ECHO, b"x") for _ in range(5100)))
    refused = [answer for answer in answers if isinstance(answer, Overloaded)]
    assert len(refused) == 101


class Clock:
    """The loop's time with hours added, for a wait nobody can wait for."""

    def __init__(self, worker: Worker) -> None:
        self._loop = worker.loop
        self.ahead_seconds = 0.0

    def time(self) -> float:
        return self._loop.time() + self.ahead_seconds

    def __getattr__(self, name: str) -> object:
        return getattr(self._loop, name)


def test_an_answer_that_waited_long_for_those_before_it_is_not_late(lane: Pipeline, worker: Worker) -> None:
    """The harm: a lane with a queue gave up a connection that worked, and with it deliveries about to be committed."""
    clock = lane._loop = Clock(worker)
    answers: list[object] = []

    async def begin() -> None:
        lane.run(((SLEEP, (b"0.2",)),), answers.append)
        lane.run(((SLEEP, (b"0.2",)),), answers.append)
        clock.ahead_seconds += STUCK_SECONDS - 1

    worker.run(begin())
    worker.until(lambda: answers, "the first answer came")
    clock.ahead_seconds += STUCK_SECONDS - 1
    worker.until(lambda: len(answers) == 2, "the second answer came")
    assert [value(answer) for answer in answers] == [b"", b""]


def test_a_server_that_says_nothing_for_long_is_given_up(
    lane: Pipeline, worker: Worker, sql: psycopg.Connection
) -> None:
    clock = lane._loop = Clock(worker)
    answers: list[object] = []

    async def begin() -> None:
        lane.run(((SLEEP, (b"60",)),), answers.append)

    worker.run(begin())
    clock.ahead_seconds += STUCK_SECONDS + 1
    worker.until(lambda: answers, "the question is given up")
    assert isinstance(answers[0], Unavailable)
    # The server itself would go on for its own limit, beside the tests that follow.
    sql.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")


@pytest.mark.parametrize(("servers", "kept"), [("off", b"on"), ("local", b"local"), ("remote_apply", b"remote_apply")])
def test_what_a_lane_commits_survives_a_power_cut_and_a_stronger_promise_is_kept(
    cluster: Cluster, sql: psycopg.Connection, worker: Worker, servers: str, kept: bytes
) -> None:
    with opened(cluster, worker, options=f"-c synchronous_commit={servers}") as lane:
        assert value(worker.ask(asking(lane, DURABILITY))) == kept


class Deaf:
    """A server that takes connections and never says a word."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.conninfo = f"host=127.0.0.1 port={self._listening.getsockname()[1]} connect_timeout=2 sslmode=disable"

    def close(self) -> None:
        self._listening.close()


def test_a_server_that_takes_a_connection_and_says_nothing_keeps_no_other_lane_away(
    cluster: Cluster, sql: psycopg.Connection, worker: Worker
) -> None:
    deaf = Deaf()
    with ThreadPoolExecutor(1) as pool:
        stuck = Pipeline(deaf.conninfo, STATEMENTS, pool, on_connect=lambda: None, outages=OutageLog())
        lane = Pipeline(cluster.conninfo(), STATEMENTS, pool, on_connect=lambda: None, outages=OutageLog())

        async def both() -> None:
            first = worker.loop.create_task(stuck.open())
            await lane.open()
            await first

        worker.run(both())
        assert value(worker.ask(asking(lane, ECHO, b"there"))) == b"there"
        assert not stuck.connected
        stuck.close()
        lane.close()
        deaf.close()


def test_a_server_that_falls_silent_while_statements_are_prepared_is_given_up() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(psycopg.OperationalError, match="said nothing"):
        open_connection.wait(ours.fileno(), writing=False, seconds=0.01)


def test_a_connection_that_fails_in_an_unheard_of_way_is_tried_again(cluster: Cluster, worker: Worker) -> None:
    """The harm: any error but one kind ended the attempts, and with them all mail until a restart."""
    with ThreadPoolExecutor(1) as pool:
        lane = Pipeline(
            cluster.conninfo(),
            (Statement(b"bad\0name", "SELECT \udcff"), ECHO),
            pool,
            on_connect=lambda: None,
            outages=OutageLog(),
        )
        worker.run(lane.open())
        lane._statements = STATEMENTS
        worker.until(lambda: back(lane, worker), "the lane came")
        lane.close()


def test_a_question_that_cannot_be_sent_is_answered_and_spoils_no_transaction_behind_it(
    lane: Pipeline, worker: Worker, sql: psycopg.Connection
) -> None:
    half = ((ADD, (b"5",)), (ECHO, (object(),)))
    assert isinstance(worker.ask(lambda done: lane.run(half, done)), Unavailable)
    worker.until(lambda: back(lane, worker), "the lane came back")
    assert not isinstance(worker.ask(asking(lane, ADD, b"1")), MailError)
    assert sql.execute("SELECT n FROM counter").fetchone() == (1,)


def test_a_caller_that_cannot_take_an_answer_is_told_so_once(lane: Pipeline, worker: Worker) -> None:
    """The harm: a bug behind an answer left a client waiting in silence."""
    answers: list[object] = []

    def take(answer: object) -> None:
        answers.append(answer)
        if not isinstance(answer, MailError):
            raise ZeroDivisionError

    async def begin() -> None:
        lane.run(((ECHO, (b"x",)),), take)

    worker.run(begin())
    worker.until(lambda: len(answers) == 2, "the error was told")
    assert isinstance(answers[1], Unavailable)
