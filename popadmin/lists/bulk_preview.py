"""The page before a bulk action: it asks for the action's fields, previews the effects, then starts a job.

A job starts only when its preview is still true: the page carries a token (`previewed`) of what it showed.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import View
from django.views.generic.base import ContextMixin, TemplateResponseMixin

from mailstore.transfer import bulk_job
from popadmin.lists.bulk_action import Act
from popadmin.lists.bulk_step import run_step
from popadmin.lists.views import ListPage
from popadmin.web.people import signed_in
from popadmin.web.preview_token import mark

EXAMPLES = 10  # of the selected rows, shown by name


class BulkPage(TemplateResponseMixin, ContextMixin, View):
    """`list_page` is the view of the list, `acts` what can be done with its rows by the name in the address."""

    list_page: ClassVar[type[ListPage]]
    acts: ClassVar[dict[str, Act]] = {}
    template_name = "bulk.html"

    @cached_property
    def page(self) -> ListPage:
        page = self.list_page()
        page.setup(self.request)
        return page

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

    @cached_property
    def count(self) -> int:
        return self.chosen.count()

    def get(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        form = self.act.form(request, None)
        return self._show(form, None if form.fields else {})

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        form = self.act.form(request, request.POST)
        if not form.is_valid():
            return self._show(form, None)
        if "do" not in request.POST or self.count == 0:
            return self._show(form, form.cleaned_data)
        if request.POST.get("previewed") != self._mark(form.cleaned_data):
            form.add_error(None, _("The data has changed since the preview: check it again."))
            return self._show(form, form.cleaned_data)
        asked = {name: request.POST[name] for name in form.fields if name in request.POST}
        return self._begin({**asked, **self.act.pinned(form.cleaned_data)})

    def _mark(self, fields: dict[str, Any]) -> str:
        """What `previewed` must hold for this to begin: what is asked, and of how many rows, which they are."""
        state, choice = self.page.state, self.page.choice(self.page.state)
        rows = [state.found_by, sorted(choice.but)] if choice.everything else sorted(choice.keys)
        return mark({"act": self.kwargs["act"], "fields": fields, "rows": rows, "count": self.count})

    def _begin(self, asked: dict[str, str]) -> HttpResponse:
        """The first step at once: few rows are done before anybody sees a bar."""
        name = self.page.name
        job = bulk_job.begin(
            self.chosen, owner=signed_in(self.request), list_name=name, act=self.kwargs["act"], asked=asked
        )
        self.page.choice(self.page.state).clear()
        run_step(self.request, job, self.page, self.act)
        return redirect(f"{name}-results", job.pk)

    def _show(self, form: forms.Form, fields: dict[str, Any] | None) -> HttpResponse:
        """`fields` None: nothing is asked well enough to say what it would do."""
        ready = fields is not None and self.count > 0
        context = self.get_context_data(
            act=self.act,
            form=form,
            count=self.count,
            examples=list(self.chosen.order_by("pk")[:EXAMPLES]),
            more=max(0, self.count - EXAMPLES),
            effects=list(filter(None, self.act.preview(self.chosen, fields))) if ready and fields is not None else [],
            ready=ready,
            previewed=self._mark(fields) if ready and fields is not None else "",
            back=reverse(self.page.name) + self.page.state.query(),
        )
        return self.render_to_response(context)
