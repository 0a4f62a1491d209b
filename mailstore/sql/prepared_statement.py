"""Runs statements that a pass needs thousands of times: they are planned once a connection, and not at each run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection
from psycopg import Cursor


def fetch(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run the statement on Django's own connection, within its transaction, and return the rows."""
    connection.ensure_connection()
    connection.connection.prepare_threshold = 0  # Django switches it off
    with Cursor(connection.connection) as cursor:
        return cursor.execute(statement.encode(), parameters, prepare=True).fetchall()
