"""One libpq connection in pipeline mode on the worker's loop; knows statements and results, not mail.

Many sessions share a lane: each `run` queues one prepared statement, or a few, behind one sync point, so that each run
is a transaction of its own and an error of one never touches the next. A query costs one send and a share of one
receive; there is no pool, no task, no future. While the database is away every `run` is answered Unavailable at once,
and the lane tries to come back by itself, whatever went wrong.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from psycopg import OperationalError, pq

from mailstore.errors import MailError, Overloaded, Unavailable
from mailstore.pg import open_connection
from mailstore.pg.callback import tell
from mailstore.pg.outage_log import OutageLog
from mailstore.pg.statement import BINARY, TEXT, Parameters, Statement

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

RECONNECT_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)  # a restarted Postgres is found again within two seconds
PENDING_LIMIT = 5000  # queries in flight on one lane; beyond it the machine is drowning and says so
STUCK_SECONDS = open_connection.STATEMENT_SECONDS + 5  # no result for so long means that the connection is dead

Answer = Callable[["PGresult | MailError"], None]
Answers = Callable[["list[PGresult] | MailError"], None]
Steps = Sequence[tuple[Statement, Parameters]]


class StatementFailed(Unavailable):
    """The server refused one statement; `sqlstate` says why. Everything not expected by the caller is temporary."""

    def __init__(self, message: str, sqlstate: str) -> None:
        super().__init__(f"{sqlstate}: {message}")
        self.sqlstate = sqlstate


class Pipeline:
    """A connection that comes back. Call `open` once from the loop's thread, `close` at the end.

    `came` is called whenever there is a new connection, before anything runs on it.
    """

    def __init__(
        self,
        conninfo: str,
        statements: Sequence[Statement],
        pool: ThreadPoolExecutor,
        *,
        came: Callable[[], None],
        news: OutageLog,
    ) -> None:
        self._conninfo = open_connection.with_options(conninfo)
        self._statements = statements
        self._pool = pool  # connecting blocks, so it happens off the loop
        self._came = came
        self._news = news
        self._connection: PGconn | None = None
        self._socket = -1  # the connection's; libpq does not name it any more once the server has closed it
        self._waiting: deque[Answers] = deque()
        self._heard_at = 0.0  # of the last result, or of the first question since nobody waited
        self._results: list[PGresult] = []  # of the transaction that is being answered
        self._failures = 0
        self._opening = False
        self._closed = False

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def load(self) -> int:
        """How many answers are outstanding."""
        return len(self._waiting)

    async def open(self) -> None:
        """Connect; when the database is away, go on trying behind the scenes."""
        self._loop = asyncio.get_running_loop()
        await self._connect()

    def close(self) -> None:
        self._closed = True
        self._drop("the listener ends")

    def run(self, steps: Steps, done: Answer) -> None:
        """Queue one transaction; `done` gets the last statement's result or the first error, exactly once."""
        self.run_each(steps, lambda answers: done(answers if isinstance(answers, MailError) else answers[-1]))

    def run_each(self, steps: Steps, done: Answers) -> None:
        """The same for whoever wants every statement's result.

        Every statement takes its own snapshot, so one behind a lock sees what was committed before the lock was had.
        """
        connection = self._connection
        if connection is None:
            done(Unavailable("the database is away"))
            return
        if len(self._waiting) >= PENDING_LIMIT:
            done(Overloaded(f"{PENDING_LIMIT} queries are waiting"))
            return
        try:
            for statement, parameters in steps:
                connection.send_query_prepared(
                    statement.name, parameters, statement.formats, BINARY if statement.binary else TEXT
                )
            connection.pipeline_sync()
            waits = connection.flush()
        except Exception as error:  # whatever it was: half of a transaction may have been sent
            self._drop(_why(error))
            done(Unavailable(_why(error)))
            return
        if not self._waiting:
            self._heard_at = self._loop.time()
        self._waiting.append(done)
        if waits:
            self._loop.add_writer(self._socket, self._writable)

    def tick(self) -> None:
        """Called every second: gives up a connection that is dead, or whose answers stay away.

        A server that dies with queries of ours unread leaves an error on the socket, and uvloop calls no reader for
        that: libuv just ends the watch. Reading finds it.
        """
        self._readable()
        if self._waiting and self._loop.time() - self._heard_at > STUCK_SECONDS:
            self._drop(f"no answer within {STUCK_SECONDS} s")

    # --- connecting -------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        self._opening = True
        try:
            connection = await self._loop.run_in_executor(
                self._pool, open_connection.connect, self._conninfo, self._statements
            )
        except Exception as error:  # whatever it was: a lane that does not try again is lost for good
            self._failed(_why(error))
            return
        finally:
            self._opening = False
        if self._closed:
            connection.finish()
            return
        self._failures = 0
        self._news.came(self)
        self._connection, self._socket = connection, connection.socket
        self._loop.add_reader(self._socket, self._readable)
        self._came()

    def _failed(self, why: str) -> None:
        if self._closed:
            return
        self._news.lost(self, why)
        wait = RECONNECT_SECONDS[min(self._failures, len(RECONNECT_SECONDS) - 1)]
        self._failures += 1
        self._loop.call_later(wait, self._again)

    def _again(self) -> None:
        if not (self._closed or self._opening or self._connection):
            self._reconnecting = self._loop.create_task(self._connect())

    def _drop(self, why: str) -> None:
        """Give the connection up and answer everything that waits on it: what happened to it is not known."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        connection.finish()
        waiting, self._waiting, self._results = self._waiting, deque(), []
        for done in waiting:
            tell(done, Unavailable(why))
        self._failed(why)

    # --- answers ----------------------------------------------------------------------------------------------

    def _writable(self) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            if not connection.flush():
                self._loop.remove_writer(self._socket)
        except Exception as error:
            self._drop(_why(error))

    def _readable(self) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            connection.consume_input()
            while self._waiting and not connection.is_busy():
                self._take(connection.get_result())
                if self._connection is not connection:
                    return
        except Exception as error:
            self._drop(_why(error))
            return
        if connection.status != pq.ConnStatus.OK:
            self._drop(_first_line(connection.get_error_message()))

    def _take(self, result: PGresult | None) -> None:
        """One step of libpq's pipeline: each statement's result and a None, at the end the sync point."""
        if result is None:
            return
        self._heard_at = self._loop.time()
        if result.status != pq.ExecStatus.PIPELINE_SYNC:
            if result.status != pq.ExecStatus.PIPELINE_ABORTED:  # that one only follows an error
                self._results.append(result)
            return
        answers, self._results = self._results, []
        done = self._waiting.popleft()
        if not answers:
            tell(done, Unavailable("the database gave no answer"))
        elif answers[-1].status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            tell(done, answers)
        else:
            state = answers[-1].error_field(pq.DiagnosticField.SQLSTATE) or b"?????"
            tell(done, StatementFailed(answers[-1].get_error_message(), state.decode()))


def _why(error: Exception) -> str:
    return _first_line(str(error)) if isinstance(error, OperationalError) else repr(error)


def _first_line(text: str) -> str:
    """What libpq says of the matter; its further lines are advice for whoever has typed psql."""
    return text.partition("\n")[0]
