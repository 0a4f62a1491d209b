"""One libpq connection in pipeline mode on the worker's loop; knows statements and results, not mail.

Many sessions share a lane: each `run` queues one prepared statement, or a few, behind one sync point, so that each run
is a transaction of its own and an error of one never touches the next. A query costs one send and a share of one
receive; there is no pool, no task, no future. While the database is away every `run` is answered Unavailable at once,
and the lane tries to come back by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import OperationalError, conninfo, pq

from mailstore.errors import Unavailable

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

log = logging.getLogger("popadmin.database")

RECONNECT_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)  # a restarted Postgres is found again within two seconds
PENDING_LIMIT = 5000  # queries in flight on one lane; beyond it the machine is drowning and says so
STATEMENT_SECONDS = 30  # the server ends what takes longer
STUCK_SECONDS = STATEMENT_SECONDS + 5  # an answer this late means that the connection is dead
SESSION_OPTIONS = f"-c statement_timeout={STATEMENT_SECONDS}s -c plan_cache_mode=force_generic_plan -c jit=off"

TEXT = pq.Format.TEXT
BINARY = pq.Format.BINARY

Answer = Callable[["PGresult | Unavailable"], None]
Parameters = Sequence[bytes | None]
Steps = Sequence[tuple["Statement", Parameters]]


class StatementFailed(Unavailable):
    """The server refused one statement; `sqlstate` says why. Everything not expected by the caller is temporary."""

    def __init__(self, message: str, sqlstate: str) -> None:
        super().__init__(f"{sqlstate}: {message}")
        self.sqlstate = sqlstate


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement under the name it is prepared as. `formats` is per parameter, `binary` for the result."""

    name: bytes
    sql: str
    formats: tuple[pq.Format, ...] | None = None
    binary: bool = False


class Lane:
    """A connection that comes back. Call `open` once from the loop's thread, `close` at the end."""

    def __init__(self, conninfo_text: str, statements: Sequence[Statement], pool: ThreadPoolExecutor) -> None:
        self._conninfo = _with_options(conninfo_text)
        self._statements = statements
        self._pool = pool  # connecting blocks, so it happens off the loop
        self._connection: PGconn | None = None
        self._socket = -1  # the connection's; libpq does not name it any more once the server has closed it
        self._waiting: deque[tuple[Answer, float]] = deque()
        self._result: PGresult | None = None
        self._failures = 0
        self._opening = False
        self._closed = False

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
        """Queue one transaction; `done` gets the last statement's result or the first error, exactly once.

        Every statement takes its own snapshot, so one behind a lock sees what was committed before the lock was had.
        """
        connection = self._connection
        if connection is None or len(self._waiting) >= PENDING_LIMIT:
            done(Unavailable("the database is away" if connection is None else "too many queries are waiting"))
            return
        try:
            for statement, parameters in steps:
                connection.send_query_prepared(
                    statement.name, parameters, statement.formats, BINARY if statement.binary else TEXT
                )
            connection.pipeline_sync()
            waits = connection.flush()
        except OperationalError as error:
            self._drop(str(error))
            done(Unavailable(str(error)))
            return
        self._waiting.append((done, self._loop.time()))
        if waits:
            self._loop.add_writer(self._socket, self._writable)

    def tick(self) -> None:
        """Called every second: gives up a connection that is dead, or whose answers stay away.

        A server that dies with queries of ours unread leaves an error on the socket, and uvloop calls no reader for
        that: libuv just ends the watch. Reading finds it.
        """
        self._readable()
        if self._waiting and self._loop.time() - self._waiting[0][1] > STUCK_SECONDS:
            self._drop(f"no answer within {STUCK_SECONDS} s")

    # --- connecting -------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        self._opening = True
        try:
            connection = await self._loop.run_in_executor(self._pool, self._connect_blocking)
        except OperationalError as error:
            self._failed(str(error))
            return
        finally:
            self._opening = False
        if self._closed:
            connection.finish()
            return
        if self._failures:
            log.info("the database is back")
        self._failures = 0
        self._connection, self._socket = connection, connection.socket
        self._loop.add_reader(self._socket, self._readable)

    def _connect_blocking(self) -> PGconn:
        connection = pq.PGconn.connect(self._conninfo.encode())
        if connection.status != pq.ConnStatus.OK:
            raise OperationalError(connection.get_error_message())
        for statement in self._statements:
            result = connection.prepare(statement.name, statement.sql.encode())
            if result.status != pq.ExecStatus.COMMAND_OK:
                connection.finish()
                raise OperationalError(f"{statement.name.decode()}: {result.get_error_message()}")
        connection.nonblocking = 1
        connection.enter_pipeline_mode()
        return connection

    def _failed(self, why: str) -> None:
        if self._failures == 0:
            log.error("the database cannot be reached, trying again until it can: %s", why)
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
        waiting, self._waiting, self._result = self._waiting, deque(), None
        for done, _ in waiting:
            _tell(done, Unavailable(why))
        if not self._closed:
            self._failed(why)

    # --- answers ----------------------------------------------------------------------------------------------

    def _writable(self) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            if not connection.flush():
                self._loop.remove_writer(self._socket)
        except OperationalError as error:
            self._drop(str(error))

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
        except OperationalError as error:
            self._drop(str(error))
            return
        if connection.status != pq.ConnStatus.OK:
            self._drop(connection.get_error_message())

    def _take(self, result: PGresult | None) -> None:
        """One step of libpq's pipeline: each statement's result and a None, at the end the sync point."""
        if result is None:
            return
        if result.status != pq.ExecStatus.PIPELINE_SYNC:
            if result.status != pq.ExecStatus.PIPELINE_ABORTED:  # that one only follows an error
                self._result = result
            return
        answer, self._result = self._result, None
        done, _ = self._waiting.popleft()
        if answer is None:
            _tell(done, Unavailable("the database gave no answer"))
        elif answer.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            _tell(done, answer)
        else:
            state = answer.error_field(pq.DiagnosticField.SQLSTATE) or b"?????"
            _tell(done, StatementFailed(answer.get_error_message(), state.decode()))


def _tell(done: Answer, answer: PGresult | Unavailable) -> None:
    """A bug of whoever asked is his alone: those behind him on the lane still get their answers."""
    try:
        done(answer)
    except Exception:
        log.exception("an answer of the database could not be taken")


def _with_options(text: str) -> str:
    parts = conninfo.conninfo_to_dict(text)
    options = f"{parts.get('options') or ''} {SESSION_OPTIONS}".strip()
    merged: dict[str, str | int] = {
        "connect_timeout": 5,
        "application_name": "popadmin",
        "keepalives_idle": 30,
    }
    merged.update({key: value for key, value in parts.items() if value is not None})
    merged["options"] = options
    return conninfo.make_conninfo("", **merged)
