"""Begin, continue and undo jobs on many rows of a list, step by step. The caller knows what is done with a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Model, Q, QuerySet
from django.utils.translation import gettext as _

from mailstore.directory import bulk_sql
from mailstore.directory.outcome import Rejected
from mailstore.models import Job, JobRow, User

Stage, Fate = Job.Stage, JobRow.Fate
_ENDED = (Stage.DONE, Stage.UNDONE)
_COUNTS = "_counts"  # in the form data of a job that has ended; no field of a form has such a name

_CHOOSE = """
INSERT INTO mailstore_jobrow (job_id, key, subject, fate, detail)
SELECT %s, chosen.id, '', 'waiting', '' FROM ({rows}) AS chosen (id) ORDER BY 2
"""


def begin(rows: QuerySet[Model], *, owner: User, list_name: str, act: str, form_data: Mapping[str, str]) -> Job:
    """Begin a job on all rows that the query finds now. One statement inserts them, however many there are."""
    with transaction.atomic():
        job = Job.objects.create(owner=owner, list_name=list_name, act=act, form_data=dict(form_data))
        keys, parameters = rows.order_by().select_related(None).values("pk").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(_CHOOSE.format(rows=keys), (job.pk, *parameters))
    return job


def step(job: Job, take: Callable[[Job, Sequence[JobRow]], None], *, most: int) -> bool:
    """Let `take` process the next rows, `most` at once, and write its result into each. Return whether rows are left.

    This is one transaction with a lock on the job's row, so two browsers do not process the same rows.
    """
    with transaction.atomic():
        locked = _locked(job)
        if locked.stage not in (Stage.RUNNING, Stage.UNDOING):
            return False
        waiting = _rows(locked).filter(fate=Fate.WAITING)
        rows = list(waiting.order_by("pk")[:most])
        take(locked, rows)
        bulk_sql.update(rows, ("subject", "fate", "detail", "undo_data"))
        left = waiting.exists()
        if not left:
            locked.stage = Stage.DONE if locked.stage == Stage.RUNNING else Stage.UNDONE
            locked.form_data[_COUNTS] = counts(locked)
            locked.save(update_fields=["stage", "form_data"])
    return left


def undo(job: Job) -> None:
    """Begin to undo the rows that can be undone. Rejected before the job is done, and after it was undone."""
    with transaction.atomic():
        locked = _locked(job)
        if locked.stage != Stage.DONE:
            raise Rejected(_("an operation can be undone once, after it is complete"))
        _undoable(locked).update(fate=Fate.WAITING)
        locked.stage = Stage.UNDOING
        locked.save(update_fields=["stage"])


def counts(job: Job) -> dict[str, int]:
    """Return the number of `rows`, of those with each fate (by its name in lower case), and of the `undoable` ones."""
    found: dict[str, int] = _rows(job).aggregate(**_numbers())
    return found


def counts_of(jobs: Sequence[Job]) -> dict[int, dict[str, int]]:
    """Return the same for each job, by its key. A job that has ended keeps them, so only the others' rows are read."""
    kept = {job.pk: job.form_data[_COUNTS] for job in jobs if job.stage in _ENDED and _COUNTS in job.form_data}
    others = [job.pk for job in jobs if job.pk not in kept]
    by_jobs = JobRow.objects.filter(job__in=others).order_by().values("job")
    found: QuerySet[Any, Any] = by_jobs.annotate(**_numbers())  # no statement where there are no others
    return {**kept, **{row.pop("job"): row for row in found}}


def _numbers() -> dict[str, Count]:
    fates = {fate.name.lower(): Count("pk", filter=Q(fate=fate)) for fate in Fate}
    undoable = Count("pk", filter=Q(fate=Fate.DONE, undo_data__isnull=False))
    return {"rows": Count("pk"), "undoable": undoable, **fates}


def _locked(job: Job) -> Job:
    return Job.objects.select_for_update().get(pk=job.pk)


def _rows(job: Job) -> QuerySet[JobRow]:
    return JobRow.objects.filter(job=job)


def _undoable(job: Job) -> QuerySet[JobRow]:
    return _rows(job).filter(fate=Fate.DONE, undo_data__isnull=False)
