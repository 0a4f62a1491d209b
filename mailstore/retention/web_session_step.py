"""Forgets web sessions that have ended."""

from __future__ import annotations

from django.db.models import QuerySet

from mailstore.models import WebSession
from mailstore.sql.sweep_step import Step, SweepContext


def _ended(round: SweepContext) -> QuerySet[WebSession]:
    return WebSession.objects.filter(expire_date__lt=round.now)


def _look(round: SweepContext) -> tuple[int]:
    return (_ended(round).count(),)


def _act(round: SweepContext) -> tuple[int]:
    count, _kinds = (0, {}) if round.stop() else _ended(round).delete()
    return (count,)


VISITS = Step(("sessions",), _look, _act)
