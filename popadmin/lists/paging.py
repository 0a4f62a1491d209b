"""Pages of a list by the last row of the page before: the hundredth costs what the first does, and none skips a row."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from popadmin.acting import KEY_DIGITS
from popadmin.lists.columns import Order, Rows

COUNTED_ROWS = 1_000  # beyond, the planner's estimate is told: nobody reads the difference
KEY = "list_key"  # the annotation that a list is sorted by


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind the row with this key, or before it; `position` is the number of its first row."""

    behind: bool
    position: int
    key: int
    value: str

    def __str__(self) -> str:
        return f"{'a' if self.behind else 'b'}:{self.position}:{self.key}:{self.value}"


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` of the list, counted from `first`; the cursors of the pages beside it, None where there is none."""

    rows: list[Any]
    first: int = 1
    before: Cursor | None = None
    after: Cursor | None = None

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are; an estimate where `exact` is false."""

    rows: int
    exact: bool


def read_cursor(text: str) -> Cursor | None:
    """The cursor that was written so; None for anything else, which is the first page."""
    way, position, key, value = (*text.split(":", 3), "", "", "")[:4]
    if way not in ("a", "b") or not (_is_number(position) and _is_number(key)) or "\0" in value:
        return None
    return Cursor(way == "a", max(1, int(position)), int(key), value)


def page(rows: Rows, order: Order, cursor: Cursor | None, *, size: int) -> Page:
    """The page at the cursor: one statement for the keys, one for the rows, so that only rows shown are read whole."""
    keyed = rows.annotate(**{KEY: order.expression})
    value = None if cursor is None else _value(keyed, cursor.value)
    if cursor is None or value is None:
        keys = _keys(keyed, down=order.down, most=size + 1)
        return _page(rows, keys[:size], 1, before=False, after=len(keys) > size)
    down = order.down == cursor.behind  # a page before is read the other way round
    keys = _keys(_beyond(keyed, cursor.key, value, down=down), down=down, most=size + 1)
    more, keys = len(keys) > size, keys[:size]
    if cursor.behind:
        return _page(rows, keys, cursor.position, before=True, after=more)
    first = max(1, cursor.position - len(keys)) if more else 1
    return _page(rows, keys[::-1], first, before=more, after=True)


def count(rows: Rows) -> Count:
    """Exact up to a bound, so that it never costs more; beyond it what the planner expects."""
    bare = rows.order_by().select_related(None)
    exactly = bare.values("pk")[: COUNTED_ROWS + 1].count()
    if exactly <= COUNTED_ROWS:
        return Count(exactly, exact=True)
    planned = json.loads(bare.explain(format="json"))[0]["Plan"]["Plan Rows"]
    return Count(max(COUNTED_ROWS, round(planned, -2)), exact=False)


def _keys(keyed: Rows, *, down: bool, most: int) -> list[tuple[int, Any]]:
    minus = "-" if down else ""
    bare = keyed.select_related(None).order_by(f"{minus}{KEY}", f"{minus}pk")
    return list(bare.values_list("pk", KEY)[:most])


def _beyond(keyed: Rows, key: int, value: Any, *, down: bool) -> Rows:
    """The rows behind one in this order. The first condition is what an index can begin at."""
    way = "lt" if down else "gt"
    return keyed.filter(Q(**{f"{KEY}__{way}e": value}), Q(**{f"{KEY}__{way}": value}) | Q(**{f"pk__{way}": key}))


def _page(rows: Rows, keys: list[tuple[int, Any]], first: int, *, before: bool, after: bool) -> Page:
    if not keys:
        return Page([], first)
    found = {row.pk: row for row in rows.filter(pk__in=[key for key, _value in keys])}
    (head, head_value), (tail, tail_value) = keys[0], keys[-1]
    return Page(
        [found[key] for key, _value in keys if key in found],
        first,
        Cursor(False, first, head, _text(head_value)) if before else None,
        Cursor(True, first + len(keys), tail, _text(tail_value)) if after else None,
    )


def _value(keyed: Rows, text: str) -> Any:
    """What the cursor's text stands for in this order; None when it is none of its values."""
    try:
        return keyed.query.annotations[KEY].output_field.to_python(text)
    except (ValidationError, ValueError):
        return None


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime.datetime) else str(value)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= KEY_DIGITS
