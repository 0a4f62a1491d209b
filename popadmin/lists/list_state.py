"""Where a list stands: filters, order and place, all of it in the query string, so that any state can be linked to."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from popadmin.lists import paging
from popadmin.lists.columns import Column, Filters, Order, orders
from popadmin.lists.paging import Cursor

SORT, PAGE = "sort", "page"


@dataclass(frozen=True, slots=True)
class Heading:
    """A column, the query string of the order that a click brings, and in aria-sort's word its present one."""

    column: Column
    query: str | None
    way: str | None


class State:
    """Read from a query string that anybody may have written: what makes no sense in it is as if it were not there."""

    def __init__(self, query: QueryDict, columns: tuple[Column, ...], filters: Filters) -> None:
        every = orders(columns)
        self._query = query
        self._columns = columns
        self._first = next(iter(every))
        self.filters = filters
        self.order: Order = every.get(query.get(SORT, ""), every[self._first])
        self.cursor: Cursor | None = paging.read_cursor(query.get(PAGE, ""))

    @property
    def found_by(self) -> str:
        """The filters alone, always written the same way."""
        query = QueryDict(mutable=True)
        given = self.filters.given()
        for name in self.filters.fields:
            if name in given:
                query.setlist(name, self._query.getlist(name))
        return query.urlencode()

    def query(self, *, order: Order | None = None, cursor: Cursor | None = None) -> str:
        """The query string of these filters in this or another order, at a page or at the first."""
        query = QueryDict(self.found_by, mutable=True)
        text = str(order or self.order)
        if text != self._first:
            query[SORT] = text
        if cursor is not None:
            query[PAGE] = str(cursor)
        return f"?{query.urlencode()}" if query else ""

    def headings(self) -> list[Heading]:
        return [self._heading(column) for column in self._columns]

    def _heading(self, column: Column) -> Heading:
        if column.order is None:
            return Heading(column, None, None)
        if column.name != self.order.column.name:
            return Heading(column, self.query(order=Order(column, column.down)), None)
        way = "descending" if self.order.down else "ascending"
        return Heading(column, self.query(order=Order(column, not self.order.down)), way)
