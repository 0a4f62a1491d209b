"""The page of a list: it shows a state, keeps the ticked rows, and leads to the next state or to a bulk action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise, cached_property
from django.utils.html import conditional_escape
from django.utils.translation import ngettext
from django.views.generic import View
from django.views.generic.base import ContextMixin, TemplateResponseMixin

from mailstore.transfer import csv_table
from popadmin.lists import paging
from popadmin.lists.columns import Column, Exported, Filters, Rows
from popadmin.lists.list_state import State
from popadmin.lists.selection import TICKED_MOST, Choice
from popadmin.web import request_lookup, row_key
from popadmin.web.formats import count

PAGE_ROWS = 50
EXPORT = "export"  # in the query string: the list as a file
EXPORT_CHUNK_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Bulk:
    """A button for the selected rows; `url` is its target, relative to the list; `css` is the style of the button."""

    name: str
    label: Promise
    url: str
    css: str = "btn-outline-secondary"


class ListPage(TemplateResponseMixin, ContextMixin, View):
    """A list page. Subclasses provide the rows (through access), columns, filters and bulk buttons.

    All buttons of the page belong to one form, sent by POST: so the ticks are kept, with or without script. The answer
    redirects to a GET whose query string holds the whole state.
    """

    name = ""
    columns: tuple[Column, ...] = ()
    filters: type[Filters] = Filters
    exported: tuple[Exported, ...] = ()
    bulk: tuple[Bulk, ...] = ()
    row_fields: tuple[str, ...] = ()  # the columns of the table that a row of the page needs; empty: all columns
    page_rows = PAGE_ROWS

    def rows(self) -> Rows:
        """Return all rows that this user may see, with everything that a row of the page shows."""
        raise NotImplementedError

    def every_row(self) -> Rows:
        """Return the same rows and removed ones: those that can be undone."""
        return self.rows()

    @cached_property
    def state(self) -> State:
        return self.state_of(self.request.GET)

    def state_of(self, query: QueryDict) -> State:
        return State(query, self.columns, self.filters_of(query))

    def filters_of(self, query: QueryDict) -> Filters:
        """Build the filters. Override it where the choices depend on the user."""
        return self.filters(query)

    def found(self, state: State) -> Rows:
        return state.filters.narrow(self.rows())

    def choice(self, state: State) -> Choice:
        return Choice(self.request.session, self.name, state.found_by)

    def get(self, request: HttpRequest, *_args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.exported and EXPORT in request.GET:
            rows = self.found(self.state).order_by(self.state.order.expression, "pk")
            return _csv_response(rows, self.exported, self.name)
        return self.render_to_response(self.get_context_data(**kwargs))

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        """Store the ticks of the page that was shown, then do what the pressed button asks for."""
        here = self.state_of(QueryDict(request.POST.get("here", "").removeprefix("?")))
        choice = self.choice(here)
        ticked = row_key.keys(request.POST.getlist("ticked"))
        request_lookup.find_all(request, self.rows(), ticked)
        left_out = choice.keep(row_key.keys(request.POST.getlist("on_page")), ticked)
        if "choose" in request.POST:
            (choice.choose_all if request.POST["choose"] == "all" else choice.clear)()
        elif left_out:
            messages.warning(request, _too_many(left_out))
            return redirect(request.path + here.query(cursor=here.cursor))
        for bulk in self.bulk:
            if request.POST.get("bulk") == bulk.name:
                return redirect(f"{request.path}{bulk.url}{here.query()}")
        return redirect(request.path + self._next(here))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        state, choice = self.state, self.choice(self.state)
        found = self.found(state)
        count = paging.count(found)
        rows = found.only(*self.row_fields) if self.row_fields else found
        page = paging.page(rows, state.order, state.cursor, size=self.page_rows, count=count)
        return super().get_context_data(
            **kwargs,
            state=state,
            filters=state.filters,
            headings=state.headings(),
            labels={column.name: conditional_escape(str(column.label)) for column in self.columns},
            page=page,
            count=count,
            before=state.query(cursor=page.before) if page.before else None,
            after=state.query(cursor=page.after) if page.after else None,
            choice=choice,
            chosen=choice.number(count.rows),
            here=state.query(cursor=state.cursor),
            bulk=self.bulk,
            export=self._export(),
        )

    def _next(self, here: State) -> str:
        """Return the state that the button asks for; Enter in a filter presses the first button, "filter"."""
        sent = self.request.POST
        if "go" in sent:
            wanted = self.state_of(QueryDict(sent["go"].removeprefix("?")))
            return wanted.query(cursor=wanted.cursor)
        if "filter" in sent:
            return self.state_of(sent).query(order=here.order)
        return here.query(cursor=here.cursor)

    def _export(self) -> str | None:
        query = self.state.query()
        return f"{query}{'&' if query else '?'}{EXPORT}=csv" if self.exported else None


def _csv_response(rows: Rows, columns: tuple[Exported, ...], name: str) -> StreamingHttpResponse:
    """Return the rows as an attachment NAME.csv in UTF-8, with a byte order mark for spreadsheets."""
    cells = ([column.cell(row) for column in columns] for row in rows.iterator(EXPORT_CHUNK_ROWS))
    lines = csv_table.write([str(column.heading) for column in columns], cells)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _too_many(left_out: int) -> str:
    text = ngettext(
        "%(number)s row was not selected: at most %(most)s can be selected one by one. Filter the list, "
        "then select all results.",
        "%(number)s rows were not selected: at most %(most)s can be selected one by one. Filter the "
        "list, then select all results.",
        left_out,
    )
    return text % {"number": count(left_out), "most": count(TICKED_MOST)}
