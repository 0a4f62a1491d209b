"""Count what a list finds and what its ready-made views contain, in one statement whose cost is bounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection

from mailstore.models import AuditEntry
from popadmin.lists.columns import Rows

KEYS_MOST = 1_000  # so few rows are read by their keys
COUNTED_ROWS = 10_000  # above it, the planner's estimate is shown: nobody notices the difference
KEPT_SECONDS = 60  # the counts of views of more than KEYS_MOST rows; until then only mail can change them
_COUNT = "(SELECT count(*) FROM ({rows} LIMIT %s) AS counted)"
_COUNT_IF_SHORT = f"CASE WHEN {_COUNT.replace('rows', 'all_rows')} <= %s THEN {_COUNT} END"
# OFFSET 0: the rows are found once.
_STATEMENT = """\
SELECT CASE WHEN cardinality(found.keys) <= %s THEN found.keys END, cardinality(found.keys),
       (SELECT coalesce(max(id), 0) FROM {audit}), ARRAY[{view_counts}]::bigint[]
  FROM (SELECT ARRAY({found} LIMIT %s) AS keys OFFSET 0) AS found
"""
Sql = tuple[str, tuple[Any, ...]]
Counts = list[int | None]


@dataclass(frozen=True, slots=True)
class Count:
    """The number of rows, with their `keys` if they are few. `exact` is False for an estimate."""

    rows: int
    keys: tuple[int, ...] | None = None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class _Kept:
    """The counts of views, and the last entry of the audit when they were counted."""

    audit: int
    counts: Counts


def count(
    found: Rows,
    views: Callable[[], Sequence[Rows]] = tuple,
    *,
    costly: Collection[int] = (),
    kept_as: str = "",
    estimated: bool = False,
) -> tuple[Count, Counts]:
    """Count the found rows, and those of each view up to COUNTED_ROWS + 1.

    With `estimated`, more than KEYS_MOST found rows are only estimated. The first view has all rows: if they are more
    than KEYS_MOST, the views with the numbers `costly` are not counted (None), and the counts of all views are kept as
    `kept_as` for a minute, until somebody changes something.
    """
    most = KEYS_MOST if estimated else COUNTED_ROWS
    kept: _Kept | None = cache.get(kept_as) if kept_as else None
    keys, number, audit, counts = _ask(found, most, () if kept else _view_counts(views(), costly))
    if kept and kept.audit != audit:
        kept = None
        keys, number, audit, counts = _ask(found, most, _view_counts(views(), costly))
    if kept:
        counts = kept.counts
    elif kept_as and counts and counts[0] > KEYS_MOST:
        cache.set(kept_as, _Kept(audit, counts), KEPT_SECONDS)
    if keys is not None:
        return Count(number, tuple(keys)), counts
    return Count(number) if number <= most else _estimate(found, most), counts


def _ask(found: Rows, most: int, views: Sequence[Sql]) -> Any:
    """Return the keys of the found rows unless they are more than KEYS_MOST, their number up to `most` + 1, the last
    entry of the audit, and the counts of the views.
    """
    rows, parameters = _sql(found)
    statement = _STATEMENT.format(
        found=rows,
        view_counts=", ".join(sql for sql, _parameters in views),
        audit=AuditEntry._meta.db_table,
    )
    of_views = [value for _sql, values in views for value in values]
    values = [KEYS_MOST, *of_views, *parameters, most + 1]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


def _view_counts(views: Sequence[Rows], costly: Collection[int]) -> list[Sql]:
    return [_view_count(rows, views[0] if number in costly else None) for number, rows in enumerate(views)]


def _view_count(view: Rows, all_rows: Rows | None) -> Sql:
    """Return the count of a view; with `all_rows`, only where these are few."""
    rows, parameters = _sql(view)
    counted = (*parameters, COUNTED_ROWS + 1)
    if all_rows is None:
        return _COUNT.format(rows=rows), counted
    all_sql, all_parameters = _sql(all_rows)
    sql = _COUNT_IF_SHORT.format(rows=rows, all_rows=all_sql)
    return sql, (*all_parameters, KEYS_MOST + 1, KEYS_MOST, *counted)


def _sql(rows: Rows) -> Sql:
    try:
        return _bare(rows).query.sql_with_params()
    except EmptyResultSet:
        return "SELECT 0::bigint WHERE false", ()


def _estimate(rows: Rows, least: int) -> Count:
    planned = json.loads(_bare(rows).explain(format="json"))[0]["Plan"]["Plan Rows"]
    return Count(max(least, round(planned, -2)), exact=False)


def _bare(rows: Rows) -> Rows:
    return rows.order_by().select_related(None).values_list("pk", flat=True)
