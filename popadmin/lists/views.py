"""The page of a list: it shows a state, keeps the ticked rows, and leads to the next state or to a bulk action."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise, cached_property
from django.utils.translation import ngettext
from django.views.generic import View
from django.views.generic.base import ContextMixin, TemplateResponseMixin

from mailstore.transfer import csv_table
from popadmin.lists import chips, counting, paging
from popadmin.lists.columns import Column, Exported, Filters, ReadyView, Rows
from popadmin.lists.counting import Count, Counts
from popadmin.lists.list_state import State
from popadmin.lists.paging import Listing, SortedRows
from popadmin.lists.selection import TICKED_MOST, Choice
from popadmin.web import request_lookup, row_key
from popadmin.web.formats import count
from popadmin.web.people import signed_in

PAGE_ROWS = 50
EXPORT = "export"  # in the query string: the list as a file
SELECTING = "selecting"  # in the query string: a phone shows the boxes
EXPORT_CHUNK_ROWS = 2000
BARE = "btn-bare"
DANGER = "btn-danger-quiet last"  # last and apart


@dataclass(frozen=True, slots=True)
class Bulk:
    """A button for the selected rows; `url` is its target, relative to the list; `css` is its look, BARE or DANGER.

    A button that is `rare` has no place on narrow screens: "More" has it there.
    """

    name: str
    label: Promise
    url: str
    css: str = BARE
    rare: bool = False

    @property
    def is_danger(self) -> bool:
        return self.css == DANGER

    @property
    def place(self) -> str:
        """Return the classes that hide it on narrow screens."""
        if not self.rare:
            return ""
        return "only-wide" if self.is_danger else "only-wide c-more"


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
    views: tuple[ReadyView, ...] = ()  # besides that of all rows

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

    def ready_views(self) -> Sequence[ReadyView]:
        """Return the views that chips lead to. A list that cannot be filtered has none."""
        views = self.views or self.filters.views()
        return (chips.ALL, *views) if views else ()

    def choice(self, state: State) -> Choice:
        return Choice(self.request.session, self.name, state.found_by)

    def get(self, request: HttpRequest, *_args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.exported and EXPORT in request.GET:
            return _csv_response(self.exported_rows(), self.exported, self.name)
        self.choice(self.state).end_asked()
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
        found, views = self.found(state), self.ready_views()
        count, view_counts = self.count_rows(found, views)
        current = chips.current_view(views, state.filters)
        page = paging.page(
            self.listing(found, count), state.cursor, down=state.order.down, size=self.page_rows, count=count
        )
        return super().get_context_data(
            **kwargs,
            state=state,
            filters=state.filters,
            headings=state.headings(),
            chips=chips.chips(views, view_counts, current),
            given_filters=chips.given_filters(state, current),
            page=page,
            count=count,
            page_number=-(-page.first // self.page_rows),
            page_count=max(1, -(-count.rows // self.page_rows)),
            before=state.query(cursor=page.before) if page.before else None,
            after=state.query(cursor=page.after) if page.after else None,
            choice=choice,
            chosen=choice.number(count.rows),
            elsewhere=choice.number(count.rows) - sum(choice.has(row.pk) for row in page.rows),
            here=state.query(cursor=state.cursor),
            bulk=self.bulk,
            can_select_all=bool(choice.but) if choice.everything else len(page.rows) < count.rows,
            rare_bulk=[bulk for bulk in self.bulk if bulk.rare],
            selecting=SELECTING in self.request.GET,
            shows_filters=bool(page.rows or state.filters.given()) and bool(views or state.filters.fields or self.bulk),
            export=self._export(),
        )

    def exported_rows(self) -> Iterable[Any]:
        """Return the rows of the file."""
        rows = self.found(self.state).order_by(self.state.order.expression, "pk")
        return rows.iterator(EXPORT_CHUNK_ROWS)

    def listing(self, found: Rows, count: Count) -> Listing:
        """Return what the pages are taken from."""
        rows = found.only(*self.row_fields) if self.row_fields else found
        return SortedRows(rows, self.state.order, count=count, filtered=bool(self.state.filters.given()))

    def count_rows(self, found: Rows, views: Sequence[ReadyView]) -> tuple[Count, Counts]:
        """Count the found rows and the views. What a user sees is counted for this user."""
        rows, filters = self.rows(), self.state.filters
        costly = [number for number, view in enumerate(views) if view.is_costly]
        return counting.count(
            found,
            lambda: [filters.narrowed(rows, view.given) for view in views],
            costly=costly,
            kept_as=f"{self.request.path}:{signed_in(self.request).pk}" if self.views else "",
            estimated=bool(filters.search_text()),  # each row that an index offers is read to compare it
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


def _csv_response(rows: Iterable[Any], columns: tuple[Exported, ...], name: str) -> StreamingHttpResponse:
    """Return the rows as an attachment NAME.csv in UTF-8, with a byte order mark for spreadsheets."""
    cells = ([column.cell(row) for column in columns] for row in rows)
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
