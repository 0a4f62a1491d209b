"""Pages of a list by the last row of the page before: page 100 costs as much as page 1, and no row is skipped."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q

from popadmin.lists.columns import Order, Rows
from popadmin.lists.counting import Count
from popadmin.web.row_key import is_key

SORTED_ROWS = 10_000  # up to about so many are sorted, tens of milliseconds; beyond, an index of the order is walked
KEY = "list_key"  # the annotation that a list is sorted by
_SORTED = "SELECT * FROM ({rows} OFFSET 0) AS found (id, key) ORDER BY key {way}, id {way} LIMIT {most}"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: after or before the row with this key; `position` is the number of its first row."""

    behind: bool
    position: int
    key: int
    value: str

    def __str__(self) -> str:
        return f"{'a' if self.behind else 'b'}:{self.position}:{self.key}:{self.value}"


@dataclass(frozen=True, slots=True)
class Page:
    """The `rows` of a page, numbered from `first`; the cursors of the pages before and after, or None."""

    rows: list[Any]
    first: int = 1
    before: Cursor | None = None
    after: Cursor | None = None

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def read_cursor(text: str) -> Cursor | None:
    """Parse a cursor; None for anything else, which means the first page."""
    way, position, key, value = (*text.split(":", 3), "", "", "")[:4]
    if way not in ("a", "b") or not (is_key(position) and is_key(key)) or "\0" in value:
        return None
    return Cursor(way == "a", max(1, int(position)), int(key), value)


class Listing(Protocol):
    """What pages are taken from: rows in the order of a value, and of their keys where the value is the same."""

    def keys(self, *, down: bool, most: int, beyond: Cursor | None = None) -> list[tuple[int, Any]]:
        """Return the first keys, each with its value: `beyond` a cursor that `has` accepts, or from the start."""

    def has(self, cursor: Cursor) -> bool:
        """Return whether the cursor has a value of this order."""

    def read(self, keys: Sequence[int]) -> Mapping[int, Any]:
        """Return what a page shows, by key. Rows that have gone in the meantime are missing."""


class SortedRows:
    """The rows of one table: one statement finds the keys, one reads only the rows that are shown.

    If `count` has the keys of the rows, these are sorted. Without a filter, or with many rows that it finds, a walk
    through an index of the order soon meets enough rows; with fewer rows it would read the whole table, so all of them
    are found first.
    """

    def __init__(self, rows: Rows, order: Order, *, count: Count, filtered: bool) -> None:
        keyed = rows if count.keys is None else rows.filter(pk__in=count.keys)
        self._rows = rows
        self._keyed: Rows = keyed.annotate(**{KEY: order.expression})
        self._find = _sorted_keys if filtered and count.keys is None and count.rows <= SORTED_ROWS else _keys

    def keys(self, *, down: bool, most: int, beyond: Cursor | None = None) -> list[tuple[int, Any]]:
        if beyond is None:
            return self._find(self._keyed, down=down, most=most)
        value = _value(self._keyed, beyond.value)
        return self._find(_beyond(self._keyed, beyond.key, value, down=down), down=down, most=most)

    def has(self, cursor: Cursor) -> bool:
        return _value(self._keyed, cursor.value) is not None

    def read(self, keys: Sequence[int]) -> Mapping[int, Any]:
        return {row.pk: row for row in self._rows.filter(pk__in=keys)}


def page(listing: Listing, cursor: Cursor | None, *, down: bool, size: int, count: Count) -> Page:
    """Return the page at the cursor; the first page for None and for a cursor of another order."""
    if cursor is None or not listing.has(cursor):
        keys = listing.keys(down=down, most=size + 1)
        return _page(listing, keys[:size], 1, before=False, after=len(keys) > size)
    # The previous page is read in reverse order.
    keys = listing.keys(down=down == cursor.behind, most=size + 1, beyond=cursor)
    if not keys:  # its rows have gone in the meantime
        return (
            _last_page(listing, listing.keys(down=not down, most=size + 1), size, count)
            if cursor.behind
            else page(listing, None, down=down, size=size, count=count)
        )
    more, keys = len(keys) > size, keys[:size]
    if cursor.behind:
        return _page(listing, keys, cursor.position, before=True, after=more)
    first = max(1, cursor.position - len(keys)) if more else 1
    return _page(listing, keys[::-1], first, before=more, after=True)


def _keys(keyed: Rows, *, down: bool, most: int) -> list[tuple[int, Any]]:
    minus = "-" if down else ""
    return list(_bare(keyed).order_by(f"{minus}{KEY}", f"{minus}pk")[:most])


def _sorted_keys(keyed: Rows, *, down: bool, most: int) -> list[tuple[int, Any]]:
    """Return the sorted keys with a plan that finds all rows before it sorts (OFFSET 0)."""
    statement, parameters = _bare(keyed).order_by().query.sql_with_params()
    way = "DESC" if down else "ASC"
    with connection.cursor() as cursor:
        cursor.execute(_SORTED.format(rows=statement, way=way, most=most), parameters)
        found: list[tuple[int, Any]] = cursor.fetchall()
    return found


def _bare(keyed: Rows) -> Rows:
    return keyed.select_related(None).values_list("pk", KEY)


def _beyond(keyed: Rows, key: int, value: Any, *, down: bool) -> Rows:
    """Return the rows after one row in this order. An index can start at the first condition."""
    way = "lt" if down else "gt"
    return keyed.filter(Q(**{f"{KEY}__{way}e": value}), Q(**{f"{KEY}__{way}": value}) | Q(**{f"pk__{way}": key}))


def _page(listing: Listing, keys: list[tuple[int, Any]], first: int, *, before: bool, after: bool) -> Page:
    if not keys:
        return Page([], first)
    found = listing.read([key for key, _value in keys])
    (head, head_value), (tail, tail_value) = keys[0], keys[-1]
    return Page(
        [found[key] for key, _value in keys if key in found],
        first,
        Cursor(False, first, head, _text(head_value)) if before else None,
        Cursor(True, first + len(keys), tail, _text(tail_value)) if after else None,
    )


def _last_page(listing: Listing, keys: list[tuple[int, Any]], size: int, count: Count) -> Page:
    """Return the last page. `keys` come from the end, last first, one more than the page has if there are more."""
    more, keys = len(keys) > size, keys[:size]
    return _page(listing, keys[::-1], max(1, count.rows - len(keys) + 1) if more else 1, before=more, after=False)


def _value(keyed: Rows, text: str) -> Any:
    """Parse the cursor's value for this order; None if it is not a value of this column."""
    try:
        return keyed.query.annotations[KEY].output_field.to_python(text)
    except (ValidationError, ValueError):
        return None


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime.datetime) else str(value)
