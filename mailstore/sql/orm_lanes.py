"""The statements of a delivery on Django's connection, for a command that has a transaction of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from psycopg import RawCursor

from mailstore.pg.pipeline import Answer, Steps
from mailstore.pg.statement import BINARY, TEXT, Parameters, Statement

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult


class OrmLanes:
    """Implements `sql.lanes.Lanes`: each call answers before it returns. An error of the database is raised.

    Steps are part of the caller's transaction.
    """

    def read(self, statement: Statement, parameters: Parameters, done: Answer) -> None:
        done(_result(statement, parameters))

    def write(self, steps: Steps, done: Answer) -> None:
        *before, last = steps
        for statement, parameters in before:
            _result(statement, parameters)
        done(_result(*last))


def _result(statement: Statement, parameters: Parameters) -> PGresult:
    formats = statement.formats or (TEXT,) * len(parameters)
    values = [
        value if value is None or given is BINARY else value.decode()
        for value, given in zip(parameters, formats, strict=True)
    ]
    connection.ensure_connection()
    with RawCursor(connection.connection) as cursor:
        cursor.execute(statement.sql.encode(), values)
        assert cursor.pgresult is not None  # noqa: S101 - it was executed
        return cursor.pgresult
