"""The state of a list: filters, order and page. All of it is in the query string, so every state has a link."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from popadmin.lists import paging
from popadmin.lists.columns import Column, Filters, Order, orders
from popadmin.lists.paging import Cursor

SORT, PAGE = "sort", "page"


@dataclass(frozen=True, slots=True)
class Heading:
    """A column, the query string of a click on it, and its current order in words of aria-sort."""

    column: Column
    query: str | None
    way: str | None


class State:
    """The state from a query string. Anybody may have written it: values that make no sense are ignored."""

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
        """Return the filters alone, in a normal form."""
        query = QueryDict(mutable=True)
        given = self.filters.given()
        for name in self.filters.fields:
            if name in given:
                query.setlist(name, self._query.getlist(name))
        return query.urlencode()

    def without(self, name: str) -> str:
        """Return the query string without one filter."""
        query = QueryDict(self.query().removeprefix("?"), mutable=True)
        query.pop(name, None)
        return f"?{query.urlencode()}"

    def query(self, *, order: Order | None = None, cursor: Cursor | None = None) -> str:
        """Return the query string of these filters, in this or another order, at a page or at the first."""
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
