"""The pages of a bulk job: its progress, a result for each row, and undo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import View

from mailstore.directory.outcome import Rejected
from mailstore.models import Job, JobRow
from mailstore.transfer import bulk_job
from popadmin.lists.bulk_action import BulkAction, counted
from popadmin.lists.bulk_step import run_step
from popadmin.lists.columns import Column, Exported, ResultFilters, Rows
from popadmin.lists.step_view import Progress, StepView
from popadmin.lists.views import ListPage
from popadmin.web import form_rejection, request_lookup
from popadmin.web.formats import count
from popadmin.web.people import signed_in

RUNNING = (Job.Stage.RUNNING, Job.Stage.UNDOING)
Fate = JobRow.Fate


class JobPage:
    """A view of one job, visible only to its owner. `list_page` and `actions` as in `bulk_preview.BulkPage`."""

    request: HttpRequest
    kwargs: dict[str, Any]
    list_page: ClassVar[type[ListPage]]
    actions: ClassVar[dict[str, BulkAction]]

    @cached_property
    def job(self) -> Job:
        mine = Job.objects.filter(owner=signed_in(self.request), list_name=self.list_page.name)
        return request_lookup.find(self.request, mine, pk=self.kwargs["key"])

    @property
    def action(self) -> BulkAction:
        action = self.actions.get(self.job.act)
        if action is None:
            raise Http404
        return action

    def progress(self) -> Progress:
        counts = bulk_job.counts(self.job)
        return Progress(counts["rows"] - counts["waiting"], counts["rows"], self.job.stage in RUNNING)

    def page(self) -> str:
        return reverse(f"{self.list_page.name}-results", args=[self.job.pk])


class JobResultFilters(ResultFilters):
    results = Fate.choices[:3]


class ResultsPage(JobPage, ListPage):
    """The results of a job, failed rows first."""

    template_name = "results.html"
    name = "results"
    filters = JobResultFilters
    columns = (
        Column("subject", gettext_lazy("Name"), F("subject")),
        Column("fate", gettext_lazy("Result"), F("fate")),
        Column("detail", gettext_lazy("Details")),
    )
    exported = (
        Exported(gettext_lazy("Subject"), lambda row: row.subject),
        Exported(gettext_lazy("Result"), lambda row: row.get_fate_display()),
        Exported(gettext_lazy("Details"), lambda row: row.detail),
    )

    def rows(self) -> Rows:
        return JobRow.objects.filter(job=self.job).exclude(fate=Fate.WAITING)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        counts = bulk_job.counts(self.job)
        return super().get_context_data(
            **kwargs, action=self.action, job=self.job, counts=counts, progress=self.progress(),
            outcome=list(outcome(self.action, counts)),
            step=reverse(f"{self.list_page.name}-results-step", args=[self.job.pk]),
            undo=reverse(f"{self.list_page.name}-results-undo", args=[self.job.pk]),
            back=reverse(self.list_page.name),
        )  # fmt: skip


class ResultsStep(JobPage, StepView):
    def take(self) -> None:
        listed = self.list_page()
        listed.setup(self.request)
        run_step(self.request, self.job, listed, self.action)
        self.job.refresh_from_db(fields=["stage"])


class ResultsUndo(JobPage, View):
    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        try:
            bulk_job.undo(self.job)
        except Rejected as refusal:
            messages.error(request, form_rejection.sentence(refusal))
            return redirect(self.page())
        listed = self.list_page()
        listed.setup(request)
        run_step(request, self.job, listed, self.action)
        return redirect(self.page())


def outcome(action: BulkAction, counts: Mapping[str, int]) -> Iterator[str]:
    """Yield what a job has done, in sentences: changed, left as they were, refused, undone. At least one."""
    changed, same = counts["undoable"], counts["done"] - counts["undoable"]
    refused, undone = counts["refused"], counts["undone"]
    if undone:
        yield ngettext("%(count)s change undone.", "%(count)s changes undone.", undone) % {"count": count(undone)}
    if changed:
        yield _("%(what)s.") % {"what": counted(action.outcome, changed)}
    if same:
        text = ngettext("%(count)s already had this setting.", "%(count)s already had this setting.", same)
        yield text % {"count": count(same)}
    if refused:
        text = ngettext("%(count)s was refused: see why below.", "%(count)s were refused: see why below.", refused)
        yield text % {"count": count(refused)}
    if not (undone or changed or same or refused):
        yield _("Nothing was changed.")
