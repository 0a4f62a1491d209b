"""Opens one connection for a lane, with its settings and every statement prepared. It blocks."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from psycopg import OperationalError, conninfo, pq

from mailstore.pg.statement import Statement

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn

CONNECT_SECONDS = 5  # for each address of the server, where the operator's conninfo sets no limit
PREPARE_SECONDS = 10.0  # for one round trip
STATEMENT_SECONDS = 30  # the server ends what takes longer
LOCK_SECONDS = 5  # the server ends what waits longer for one mailbox: others wait behind it on the lane
# Plans are made once, for any parameters, some of them while tables are small. A lane asks for a few rows by their
# keys, mostly in memory. With Postgres' own cost of a random page, which is meant for spinning disks, RETR read all
# bodies of a site that had some thousands.
SESSION_OPTIONS = (
    f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s"
    " -c plan_cache_mode=force_generic_plan -c jit=off -c random_page_cost=1.1"
)
# The reply 250 says that the row survives a power cut. Where the server is set to more than that, it stays so.
KEEP_PROMISES = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)


def with_options(text: str) -> str:
    """Return the conninfo with the settings that a lane needs; its other settings stay."""
    parts = conninfo.conninfo_to_dict(text)
    merged: dict[str, str | int] = {"application_name": "popadmin", "keepalives_idle": 30}
    merged.update({key: value for key, value in parts.items() if value is not None})
    merged["options"] = f"{parts.get('options') or ''} {SESSION_OPTIONS}".strip()
    if int(merged.get("connect_timeout", 0)) <= 0:  # libpq would wait for ever
        merged["connect_timeout"] = CONNECT_SECONDS
    return conninfo.make_conninfo("", **merged)


def connect(text: str, statements: Sequence[Statement]) -> PGconn:
    """Return a connection in pipeline mode with nothing under way; OperationalError within a bounded time."""
    connection = pq.PGconn.connect(text.encode())
    try:
        _prepare(connection, statements, time.monotonic() + PREPARE_SECONDS)
    except BaseException:
        connection.finish()
        raise
    return connection


def _prepare(connection: PGconn, statements: Sequence[Statement], deadline: float) -> None:
    """Prepare all statements in one round trip; a blocking libpq would wait for it without a limit."""
    if connection.status != pq.ConnStatus.OK:
        raise OperationalError(connection.get_error_message())
    connection.nonblocking = 1
    connection.enter_pipeline_mode()
    connection.send_query_params(KEEP_PROMISES.encode(), None)
    for statement in statements:
        connection.send_prepare(statement.name, statement.sql.encode())
    connection.pipeline_sync()
    while not _synced(connection):
        wait(connection.socket, writing=bool(connection.flush()), seconds=deadline - time.monotonic())
        connection.consume_input()


def _synced(connection: PGconn) -> bool:
    """Take the results that came; True at the sync point."""
    while not connection.is_busy():
        result = connection.get_result()
        if result is None:
            continue
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            return True
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            raise OperationalError(result.get_error_message())
    return False


def wait(descriptor: int, *, writing: bool, seconds: float) -> None:
    """Return when the server sent something, or can take more. OperationalError when that takes too long."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | (select.POLLOUT if writing else 0))
    if seconds <= 0 or not poll.poll(seconds * 1000):
        raise OperationalError(f"the server took the connection and said nothing for {PREPARE_SECONDS:.0f} s")
