"""The pages of a bulk job: its progress, a result for each row, and undo."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy
from django.views.generic import View

from mailstore.directory.outcome import Rejected
from mailstore.models import Job, JobRow
from mailstore.transfer import bulk_job
from popadmin.lists.bulk_action import BulkAction
from popadmin.lists.bulk_step import run_step
from popadmin.lists.columns import Column, Exported, ResultFilters, Rows
from popadmin.lists.step_view import Progress, StepView
from popadmin.lists.views import ListPage
from popadmin.web import form_rejection, request_lookup
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
        Column("fate", gettext_lazy("Result"), F("fate")),
        Column("subject", gettext_lazy("Subject"), F("subject")),
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
        return super().get_context_data(
            **kwargs, action=self.action, job=self.job, counts=bulk_job.counts(self.job), progress=self.progress(),
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
