"""One libpq connection in pipeline mode on the worker's loop, called a lane; it knows statements and results, not mail.

Many sessions share a lane. Each `run` queues one prepared statement, or a few, behind one sync point, so that each run
is a transaction of its own, and an error in one does not touch the next. A query costs one send and a share of one
receive; there is no task and no future. While the database is away every `run` is answered Unavailable at once, and the
lane goes on trying to connect, whatever the error was.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from psycopg import OperationalError, pq

from mailstore.errors import MailError, Overloaded, Unavailable
from mailstore.pg import open_connection
from mailstore.pg.callback import tell
from mailstore.pg.statement import BINARY, TEXT, Parameters, Statement

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

log = logging.getLogger("popadmin.database")

RECONNECT_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)  # a restarted Postgres is found again within two seconds
PENDING_LIMIT = 5000  # queries in flight on one lane; beyond it the answer is Overloaded
STUCK_SECONDS = open_connection.STATEMENT_SECONDS + 5  # no result for so long means that the connection is dead

Answer = Callable[["PGresult | MailError"], None]
Answers = Callable[["list[PGresult] | MailError"], None]
Steps = Sequence[tuple[Statement, Parameters]]


class StatementFailed(Unavailable):
    """The server refused one statement; `sqlstate` says why. What the caller does not expect is a temporary error."""

    def __init__(self, message: str, sqlstate: str) -> None:
        super().__init__(f"{sqlstate}: {message}")
        self.sqlstate = sqlstate


class OutageLog:
    """Logs once that the database is away, and once that it is back; the lanes of a worker share it."""

    def __init__(self) -> None:
        self._away: set[object] = set()

    def lost(self, lane: object, why: str) -> None:
        """Call whenever a lane has no connection and gets none."""
        if not self._away:
            log.error("the database cannot be reached, trying again until it can: %s", why)
        self._away.add(lane)

    def returned(self, lane: object) -> None:
        """Call whenever a lane has a new connection."""
        if lane not in self._away:
            return
        self._away.discard(lane)
        if not self._away:
            log.info("the database is back")


class Pipeline:
    """A connection that reconnects. Call `open` once from the loop's thread, `close` at the end.

    `on_connect` is called whenever there is a new connection, before anything runs on it.
    """

    def __init__(
        self,
        conninfo: str,
        statements: Sequence[Statement],
        pool: ThreadPoolExecutor,
        *,
        on_connect: Callable[[], None],
        outages: OutageLog,
    ) -> None:
        self._conninfo = open_connection.with_options(conninfo)
        self._statements = statements
        self._pool = pool  # connecting blocks, so it happens off the loop
        self._on_connect = on_connect
        self._outages = outages
        self._connection: PGconn | None = None
        self._socket = -1  # the connection's; libpq does not name it any more once the server has closed it
        self._waiting: deque[Answers] = deque()
        self._heard_at = 0.0  # of the last result, or of the first query since none was waiting
        self._results: list[PGresult] = []  # of the transaction that is being answered
        self._failures = 0
        self._opening = False
        self._closed = False

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def load(self) -> int:
        """Return the number of queries that have no answer yet."""
        return len(self._waiting)

    async def open(self) -> None:
        """Connect; when the database is away, go on trying in the background."""
        self._loop = asyncio.get_running_loop()
        await self._connect()

    def close(self) -> None:
        self._closed = True
        self._drop("the listener ends")

    def run(self, steps: Steps, done: Answer) -> None:
        """Queue one transaction; `done` gets the last statement's result or the first error, exactly once."""
        self.run_each(steps, lambda answers: done(answers if isinstance(answers, MailError) else answers[-1]))

    def run_each(self, steps: Steps, done: Answers) -> None:
        """Queue one transaction; `done` gets the results of all statements or the first error, exactly once.

        Every statement takes its own snapshot, so one behind a lock sees what was committed before the lock.
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
        except Exception as error:  # of any kind: half of a transaction may have been sent
            self._drop(_why(error))
            done(Unavailable(_why(error)))
            return
        if not self._waiting:
            self._heard_at = self._loop.time()
        self._waiting.append(done)
        if waits:
            self._loop.add_writer(self._socket, self._writable)

    def tick(self) -> None:
        """Give up a connection that is dead, or whose answers do not come. Called every second.

        A server that dies before it reads our queries leaves an error on the socket. uvloop calls no reader for that,
        since libuv only ends the watch; reading finds it.
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
        except Exception as error:  # of any kind: a lane that does not try again is lost
            self._failed(_why(error))
            return
        finally:
            self._opening = False
        if self._closed:
            connection.finish()
            return
        self._failures = 0
        self._outages.returned(self)
        self._connection, self._socket = connection, connection.socket
        self._loop.add_reader(self._socket, self._readable)
        self._on_connect()

    def _failed(self, why: str) -> None:
        if self._closed:
            return
        self._outages.lost(self, why)
        wait = RECONNECT_SECONDS[min(self._failures, len(RECONNECT_SECONDS) - 1)]
        self._failures += 1
        self._loop.call_later(wait, self._reconnect)

    def _reconnect(self) -> None:
        if not (self._closed or self._opening or self._connection):
            self._reconnecting = self._loop.create_task(self._connect())

    def _drop(self, why: str) -> None:
        """Give the connection up, and answer everything that waits on it: what became of it is not known."""
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
        """Take one step of libpq's pipeline: a result and a None for each statement, and the sync point at the end."""
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
    """Return the error itself; the further lines of libpq are advice for users of psql."""
    return text.partition("\n")[0]
