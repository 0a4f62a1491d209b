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
from popadmin.lists.bulk_action import BulkAction, counted
from popadmin.lists.bulk_step import run_step
from popadmin.lists.views import ListPage
from popadmin.web.edit_conflict import preview_token
from popadmin.web.people import signed_in

EXAMPLES = 10  # of the selected rows, shown by name


class BulkPage(TemplateResponseMixin, ContextMixin, View):
    """`list_page` is the view of the list. `actions` are its bulk actions, by their name in the URL."""

    list_page: ClassVar[type[ListPage]]
    actions: ClassVar[dict[str, BulkAction]] = {}
    template_name = "bulk.html"

    @cached_property
    def page(self) -> ListPage:
        page = self.list_page()
        page.setup(self.request)
        return page

    @cached_property
    def action(self) -> BulkAction:
        action = self.actions.get(self.kwargs["action"])
        if action is None:
            raise Http404
        return action

    @cached_property
    def chosen(self) -> QuerySet[Any]:
        """Return the selected rows, or all that the filters find, as far as this user may see them."""
        return self.page.choice(self.page.state).of(self.page.rows(), self.page.found(self.page.state))

    @cached_property
    def count(self) -> int:
        return self.chosen.count()

    def get(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        self.page.choice(self.page.state).ask()
        form = self.action.form(request, None)
        return self._show(form, None if form.fields else {})

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        if "cancel" in request.POST:
            self.page.choice(self.page.state).clear()
            return redirect(self._back())
        form = self.action.form(request, request.POST)
        if not form.is_valid():
            return self._show(form, None)
        if "do" not in request.POST or self.count == 0:
            return self._show(form, form.cleaned_data)
        if request.POST.get("previewed") != self._mark(form.cleaned_data):
            form.add_error(None, _("The data has changed since the preview: check it again."))
            return self._show(form, form.cleaned_data)
        form_data = {name: form[name].data for name in form.fields if name in request.POST}  # a size with its unit
        return self._begin({**form_data, **self.action.extra_data(form.cleaned_data)})

    def _mark(self, fields: dict[str, Any]) -> str:
        """Return the token that `previewed` must contain to start: the action, its fields and the rows."""
        state, choice = self.page.state, self.page.choice(self.page.state)
        rows = [state.found_by, sorted(choice.but)] if choice.everything else sorted(choice.keys)
        return preview_token({"action": self.kwargs["action"], "fields": fields, "rows": rows, "count": self.count})

    def _begin(self, form_data: dict[str, str]) -> HttpResponse:
        """Start the job and run its first step: few rows are done before a progress bar is shown."""
        name = self.page.name
        job = bulk_job.begin(
            self.chosen, owner=signed_in(self.request), list_name=name, act=self.kwargs["action"], form_data=form_data
        )
        self.page.choice(self.page.state).clear()
        run_step(self.request, job, self.page, self.action)
        return redirect(f"{name}-results", job.pk)

    def _show(self, form: forms.Form, fields: dict[str, Any] | None) -> HttpResponse:
        """Show the page; without `fields`, the form is not valid yet and there is no preview."""
        effects: list[str] = []
        token = ""
        if ready := fields is not None and self.count > 0:
            effects = list(filter(None, self.action.preview(self.chosen, fields)))
            token = self._mark(fields)
        context = self.get_context_data(
            action=self.action,
            button=counted(self.action.button, self.count),
            form=form,
            count=self.count,
            examples=list(self.chosen.order_by("pk")[:EXAMPLES]),
            more=max(0, self.count - EXAMPLES),
            effects=effects,
            ready=ready,
            previewed=token,
            back=self._back(),
        )
        return self.render_to_response(context)

    def _back(self) -> str:
        return reverse(self.page.name) + self.page.state.query()
