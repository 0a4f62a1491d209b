"""Jobs on many rows: chosen once, taken in steps that two may take, undone where that is possible."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mailstore.bodies.files import FileBodies
from mailstore.directory.mailbox_batch import ensure
from mailstore.directory.mailbox_judge import Wanted
from mailstore.directory.outcome import Rejected
from mailstore.models import Job, JobRow, Mailbox, User
from mailstore.retention import sweep
from mailstore.transfer import bulk_job
from tests.site.rows import ACTOR, a_domain, at_once

pytestmark = pytest.mark.django_db
Fate = JobRow.Fate


def a_job(rows: int = 7) -> Job:
    a_domain()
    ensure([Wanted(f"box{n}@example.org", {}) for n in range(rows)], actor=ACTOR, generates=False)
    owner = User.objects.create(address="root", role="admin")
    return bulk_job.begin(
        Mailbox.objects.order_by("-octets"), owner=owner, list_name="mailboxes", act="x", form_data={"a": "b"}
    )


def done(_job: Job, rows: Sequence[JobRow]) -> None:
    for row in rows:
        row.subject, row.fate, row.detail = f"row {row.key}", Fate.DONE, "done"
        row.undo_data = {"was": [row.key, None]} if row.key % 2 else None


def undone(_job: Job, rows: Sequence[JobRow]) -> None:
    for row in rows:
        assert row.undo_data == {"was": [row.key, None]}
        row.fate = Fate.UNDONE


def run_steps(job: Job) -> None:
    while bulk_job.step(job, done, most=3):
        pass
    job.refresh_from_db()


def test_the_rows_are_those_that_were_found_when_it_began() -> None:
    job = a_job()
    keys = set(Mailbox.objects.values_list("pk", flat=True))
    ensure([Wanted("later@example.org", {})], actor=ACTOR, generates=False)
    assert set(JobRow.objects.filter(job=job).values_list("key", flat=True)) == keys


def test_a_job_that_stopped_goes_on_and_ends() -> None:
    job = a_job()
    assert bulk_job.step(job, done, most=3)
    assert bulk_job.counts(job) | {"rows": 7, "done": 3, "waiting": 4} == bulk_job.counts(job)
    run_steps(Job.objects.get(pk=job.pk))
    job.refresh_from_db()
    assert (job.stage, bulk_job.counts(job)["waiting"]) == ("done", 0)
    assert not bulk_job.step(job, undone, most=3)


def test_what_can_be_undone_is_undone_once() -> None:
    job = a_job()
    with pytest.raises(Rejected, match="once, after it is complete"):
        bulk_job.undo(job)
    run_steps(job)
    odd = bulk_job.counts(job)["undoable"]
    bulk_job.undo(job)
    while bulk_job.step(job, undone, most=2):
        pass
    assert bulk_job.counts(job) | {"undone": odd, "done": 7 - odd} == bulk_job.counts(job)
    with pytest.raises(Rejected, match="undone once"):
        bulk_job.undo(job)


def test_the_counts_of_jobs_are_right_at_each_stage_and_read_no_row_of_one_that_has_ended() -> None:
    job = a_job()

    def counted() -> dict[str, int]:
        job.refresh_from_db()
        return bulk_job.counts_of([job])[job.pk]

    assert counted() == bulk_job.counts(job)
    run_steps(job)
    with CaptureQueriesContext(connection) as queries:
        ended = bulk_job.counts_of([job])[job.pk]
    assert (len(queries), ended) == (0, bulk_job.counts(job))
    bulk_job.undo(job)
    assert counted() == bulk_job.counts(job)
    while bulk_job.step(job, undone, most=2):
        assert counted() == bulk_job.counts(job)
    assert counted() == bulk_job.counts(job)
    assert job.form_data["a"] == "b"


def test_the_rows_of_a_job_that_ended_before_counts_were_kept_are_counted() -> None:
    job = a_job()
    run_steps(job)
    job.form_data = {"a": "b"}
    assert bulk_job.counts_of([job]) == {job.pk: bulk_job.counts(job)}


@pytest.mark.django_db(transaction=True)
def test_two_browsers_at_once_take_each_row_once() -> None:
    job, taken = a_job(40), []

    def note(_job: Job, rows: Sequence[JobRow]) -> None:
        taken.extend(row.key for row in rows)
        done(_job, rows)

    def all_steps() -> None:
        while bulk_job.step(job, note, most=3):
            pass

    at_once(all_steps, all_steps)
    assert sorted(taken) == sorted(Mailbox.objects.values_list("pk", flat=True))


def test_a_step_that_fails_leaves_its_rows_waiting() -> None:
    job = a_job()

    def fails(_job: Job, rows: Sequence[JobRow]) -> None:
        User.objects.update(name="spoilt")
        raise OSError("a bug")

    with pytest.raises(OSError, match="a bug"):
        bulk_job.step(job, fails, most=3)
    assert bulk_job.counts(job)["waiting"] == 7
    assert not User.objects.filter(name="spoilt").exists()


@pytest.mark.parametrize(("days", "left"), [(31, 0), (29, 1)])
def test_the_sweep_forgets_a_job_after_a_month(tmp_path: Path, days: int, left: int) -> None:
    a_job(rows=1)
    Job.objects.update(created_at=timezone.now() - timedelta(days=days))
    store = FileBodies(tmp_path / "bodies")
    store.prepare()
    sweep.run(store)
    assert (Job.objects.count(), JobRow.objects.count()) == (left, left)
