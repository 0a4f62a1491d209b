"""Forgets old files of mailboxes and old jobs, with their rows, done or not; nobody asks how many, so no figure."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from mailstore.models import Job, Roster
from mailstore.sql.sweep_step import Step, SweepContext

KEPT_ROSTERS = timedelta(days=7)  # one that nobody carried out still has the passwords of its file
KEPT_JOBS = timedelta(days=30)  # results are looked at soon, or never


def _look(_round: SweepContext) -> tuple[()]:
    return ()


def _act(round: SweepContext) -> tuple[()]:
    for model, kept in ((Roster, KEPT_ROSTERS), (Job, KEPT_JOBS)):
        old = model._default_manager.filter(created_at__lt=round.now - kept)
        for key in list(old.values_list("pk", flat=True)):
            if round.stop():
                return ()
            _forget(model, key)
    return ()


def _forget(model: type[Roster] | type[Job], key: int) -> None:
    """One that takes a step just now is locked, before its rows; the next pass comes again."""
    with transaction.atomic():
        for row in model._default_manager.select_for_update(skip_locked=True).filter(pk=key):
            row.delete()


OLD_JOBS = Step((), _look, _act)
