"""What is done with the chosen rows of a list: first what it would do, then a result for each, and the way back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.views.generic import View
from django.views.generic.base import ContextMixin, TemplateResponseMixin

from mailstore.store.audit import Actor
from mailstore.store.outcomes import Rejected
from popadmin import acting
from popadmin.lists.views import ListPage

ROWS_MOST = 1_000  # a few milliseconds each: what a browser waits for
NAMED_MOST = 10  # of the chosen rows, so many are named before

Back = dict[str, Any]  # as JSON has it: what undoing needs


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a row. `back` undoes it; None where nothing was done, or nothing can be undone."""

    text: str
    back: Back | None = None


class Act(Protocol):
    """One thing that is done with chosen rows. Rejected, from `do` and `undo`, says why not."""

    @property
    def label(self) -> Promise: ...

    @property
    def danger(self) -> bool: ...

    def form(self, request: HttpRequest) -> forms.Form:
        """What it asks, without fields where it asks nothing; bound by a POST."""

    def preview(self, rows: QuerySet[Any], fields: dict[str, Any]) -> Iterable[str]:
        """What it would do, a sentence each (an empty one is left out); as many statements for any number of rows."""

    def do(self, row: Any, fields: dict[str, Any], actor: Actor) -> Done:
        """Do it with one row, in a transaction of its own."""

    def undo(self, subject: str, back: Back, actor: Actor) -> str:
        """Take it back; returns what is so now."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row, for the page of results. `key` is its primary key."""

    key: int
    subject: str
    good: bool
    text: str
    back: Back | None = None


class _Page(TemplateResponseMixin, ContextMixin, View):
    """`list_page` is the view of the list, `acts` what can be done with its rows by the name in the address."""

    list_page: ClassVar[type[ListPage]]
    acts: ClassVar[dict[str, Act]] = {}

    @cached_property
    def page(self) -> ListPage:
        page = self.list_page()
        page.setup(self.request)
        return page

    @property
    def _kept(self) -> str:
        return f"done:{self.page.name}"

    def _keep(self, act: str, results: list[Result]) -> HttpResponse:
        """In the session, until the next act replaces them: a page that is loaded anew does nothing anew."""
        self.request.session[self._kept] = {"act": act, "results": [asdict(result) for result in results]}
        return redirect(f"{self.page.name}-results")


class BulkPage(_Page):
    """Before: what is chosen, what is asked, what it would do. By POST with `do` it is done."""

    template_name = "bulk.html"

    @cached_property
    def act(self) -> Act:
        act = self.acts.get(self.kwargs["act"])
        if act is None:
            raise Http404
        return act

    @cached_property
    def chosen(self) -> QuerySet[Any]:
        """The ticked rows, or all that the filters find, of those that this person may see."""
        return self.page.choice(self.page.state).of(self.page.rows(), self.page.found(self.page.state))

    def get(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        form = self.act.form(request)
        return self._show(form, None if form.fields else {})

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        form = self.act.form(request)
        if not form.is_valid():
            return self._show(form, None)
        if "do" not in request.POST or self.chosen.count() > ROWS_MOST:
            return self._show(form, form.cleaned_data)
        actor = acting.actor(request)
        results = [_result(self.act, row, form.cleaned_data, actor) for row in self.chosen]
        self.page.choice(self.page.state).clear()
        return self._keep(self.kwargs["act"], results)

    def _show(self, form: forms.Form, fields: dict[str, Any] | None) -> HttpResponse:
        """`fields` None: nothing is asked well enough to say what it would do."""
        count = self.chosen.count()
        ready = fields is not None and 0 < count <= ROWS_MOST
        context = self.get_context_data(
            act=self.act,
            form=form,
            count=count,
            most=ROWS_MOST,
            named=list(self.chosen.order_by("pk")[:NAMED_MOST]),
            more=max(0, count - NAMED_MOST),
            effects=list(filter(None, self.act.preview(self.chosen, fields))) if ready and fields is not None else [],
            ready=ready,
            back=reverse(self.page.name) + self.page.state.query(),
        )
        return self.render_to_response(context)


class ResultsPage(_Page):
    """After: a result for each row, what failed first. By POST all of it is undone that can be."""

    template_name = "results.html"

    def get(self, _request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        act, results = self._read()
        good = [result for result in results if result.good]
        return self.render_to_response(
            self.get_context_data(
                act=act,
                bad=[result for result in results if not result.good],
                good=good,
                back=reverse(self.page.name),
                undoable=sum(result.back is not None for result in good),
            )
        )

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        act, results = self._read()
        actor = acting.actor(request)
        backs = {result.key: result for result in results if result.back is not None}
        acting.find_all(request, self.page.every_row(), backs)
        done = [_undone(act, result, actor) for result in backs.values()]
        return self._keep(self.request.session[self._kept]["act"], done)

    def _read(self) -> tuple[Act, list[Result]]:
        kept = self.request.session.get(self._kept)
        if not kept or kept["act"] not in self.acts:
            raise Http404
        return self.acts[kept["act"]], [Result(**each) for each in kept["results"]]


def _result(act: Act, row: Any, fields: dict[str, Any], actor: Actor) -> Result:
    try:
        done = act.do(row, fields, actor)
    except Rejected as refusal:
        return Result(row.pk, str(row), False, str(refusal))
    return Result(row.pk, str(row), True, done.text, done.back)


def _undone(act: Act, result: Result, actor: Actor) -> Result:
    try:
        text = act.undo(result.subject, result.back or {}, actor)
    except Rejected as refusal:
        return Result(result.key, result.subject, False, str(refusal))
    return Result(result.key, result.subject, True, text)
