"""The user's own work that was begun and not finished: imports and operations on many rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from mailstore.directory.site_figures import BUSY_MINUTES
from mailstore.models import Job, MailboxImport
from popadmin.panel import access
from popadmin.panel.attention.fault import NOTE, Evidence, Fault, Rank, since

Stage = MailboxImport.Stage


def imports(evidence: Evidence) -> Iterator[Fault]:
    if not evidence.figures.imports:
        return
    rows = access.mailbox_imports(evidence.user).exclude(stage=Stage.DONE)
    for upload in rows.filter(created_at__lt=evidence.now - timedelta(minutes=BUSY_MINUTES)).order_by("created_at"):
        running = upload.stage == Stage.RUNNING
        yield Fault(
            rank=Rank.IMPORT,
            level=NOTE,
            text=_("The import of %(file)s stopped half-way") % {"file": upload.file_name}
            if running
            else _("The import of %(file)s waits") % {"file": upload.file_name},
            consequence=_("Some rows are imported. The others wait until you continue.")
            if running
            else _("The file is uploaded. Nothing is imported yet."),
            remedy=_("Continue"),
            url=reverse("mailboxes-import", args=[upload.pk]),
            when=since(upload.created_at),
        )


def jobs(evidence: Evidence) -> Iterator[Fault]:
    if not evidence.figures.jobs:
        return
    rows = Job.objects.filter(owner=evidence.user, stage__in=(Job.Stage.RUNNING, Job.Stage.UNDOING))
    for job in rows.filter(created_at__lt=evidence.now - timedelta(minutes=BUSY_MINUTES)).order_by("created_at"):
        yield Fault(
            rank=Rank.JOB,
            level=NOTE,
            text=_("An operation on many rows is not finished"),
            consequence=_("Some rows are done. The others wait until you continue."),
            remedy=_("Continue"),
            url=_results(job),
            when=since(job.created_at),
        )


def _results(job: Job) -> str:
    """Return the page of the results; the list, if an earlier version had a list of that name."""
    try:
        return reverse(f"{job.list_name}-results", args=[job.pk])
    except NoReverseMatch:
        return reverse("overview")
