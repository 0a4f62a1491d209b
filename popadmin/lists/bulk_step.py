"""One step of a bulk job: do or undo the action on its next rows, with the rights that the user has now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from django.http import HttpRequest
from django.utils.translation import gettext as _

from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import Job, JobRow
from mailstore.transfer import bulk_job
from popadmin.lists.bulk_action import BulkAction
from popadmin.lists.columns import Rows
from popadmin.web import request_lookup

Fate = JobRow.Fate


class ListedRows(Protocol):
    """The rows of a list that the user may see, as `views.ListPage` gives them."""

    def rows(self) -> Rows: ...

    def every_row(self) -> Rows:
        """Return the same rows and removed ones."""


def run_step(request: HttpRequest, job: Job, listed: ListedRows, action: BulkAction) -> None:
    """Run the next step of a job, with the rights that the user has now."""

    def do(locked: Job, rows: Sequence[JobRow]) -> None:
        (_undo if locked.stage == Job.Stage.UNDOING else _do)(request, locked, rows, listed, action)

    bulk_job.step(job, do, most=action.step_rows)


def _do(request: HttpRequest, job: Job, rows: Sequence[JobRow], listed: ListedRows, action: BulkAction) -> None:
    form = action.form(request, job.form_data)
    if not form.is_valid():  # the user has lost the right, or the data has changed
        _refuse(rows, " ".join(str(text) for texts in form.errors.values() for text in texts))
        return
    there = {row.pk: row for row in listed.rows().filter(pk__in=[row.key for row in rows])}
    found = [row for row in rows if row.key in there]
    answers = action.do([there[row.key] for row in found], form.cleaned_data, _actor(request, job))
    for row, answer in zip(found, answers, strict=True):
        row.subject = str(there[row.key])
        if isinstance(answer, Rejected):
            row.fate, row.detail = Fate.REFUSED, str(answer)
        else:
            row.fate, row.detail, row.undo_data = Fate.DONE, answer.text, answer.undo_data
    _refuse([row for row in rows if row.key not in there], _("it no longer exists, or you no longer administer it"))


def _undo(request: HttpRequest, job: Job, rows: Sequence[JobRow], listed: ListedRows, action: BulkAction) -> None:
    there = set(listed.every_row().filter(pk__in=[row.key for row in rows]).values_list("pk", flat=True))
    found = [row for row in rows if row.key in there]
    answers = action.undo({row.key: row.undo_data or {} for row in found}, _actor(request, job))
    for row, answer in zip(found, answers, strict=True):
        row.fate, row.detail = Fate.REFUSED if isinstance(answer, Rejected) else Fate.UNDONE, str(answer)
    _refuse([row for row in rows if row.key not in there], _("it no longer exists, or you no longer administer it"))


def _actor(request: HttpRequest, job: Job) -> Actor:
    return request_lookup.actor(request).within("job", job.pk)


def _refuse(rows: Sequence[JobRow], why: str) -> None:
    for row in rows:
        row.fate, row.detail = Fate.REFUSED, why
