"""The steps that forget records which have had their time: web sessions, known networks, jobs and files of mailboxes.

VISITS forgets web sessions that have ended. KNOWN_NETWORKS forgets from where users signed in longer than a month ago,
and of each user all but the newest networks. OLD_JOBS forgets old jobs and files, with their rows, done or not. The
last two have no figure, since no page shows one.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from mailstore.models import Job, Roster, WebSession
from mailstore.policy.networks import KNOWN_DAYS, NETWORKS_KEPT
from mailstore.sql.sweep_step import Step, SweepContext


def _ended(context: SweepContext) -> QuerySet[WebSession]:
    return WebSession.objects.filter(expire_date__lt=context.now)


def _look_at_sessions(context: SweepContext) -> tuple[int]:
    return (_ended(context).count(),)


def _forget_sessions(context: SweepContext) -> tuple[int]:
    count, _kinds = (0, {}) if context.stop() else _ended(context).delete()
    return (count,)


VISITS = Step(("sessions",), _look_at_sessions, _forget_sessions)


def _look_at_nothing(_context: SweepContext) -> tuple[()]:
    return ()


_FORGET_OLD = f"""
DELETE FROM mailstore_knownnetwork WHERE seen_at < %(now)s::timestamptz - interval '{KNOWN_DAYS} days'
"""
_FORGET_MANY = f"""
DELETE FROM mailstore_knownnetwork WHERE id IN (
    SELECT placed.id
      FROM (SELECT k.id, row_number() OVER (PARTITION BY k.user_id ORDER BY k.seen_at DESC, k.id) AS place
              FROM mailstore_knownnetwork k
             WHERE k.user_id IN (SELECT user_id FROM mailstore_knownnetwork
                                  GROUP BY user_id HAVING count(*) > {NETWORKS_KEPT})) AS placed
     WHERE placed.place > {NETWORKS_KEPT})
"""


def _forget_networks(context: SweepContext) -> tuple[()]:
    for statement in (_FORGET_OLD, _FORGET_MANY):
        if not context.stop():
            with connection.cursor() as cursor:
                cursor.execute(statement, {"now": context.now})
    return ()


KNOWN_NETWORKS = Step((), _look_at_nothing, _forget_networks)


KEPT_ROSTERS = timedelta(days=7)  # one that nobody carried out still has the passwords of its file
KEPT_JOBS = timedelta(days=30)  # results are looked at soon, or never


def _forget_jobs(context: SweepContext) -> tuple[()]:
    for model, kept in ((Roster, KEPT_ROSTERS), (Job, KEPT_JOBS)):
        old = model._default_manager.filter(created_at__lt=context.now - kept)
        for key in list(old.values_list("pk", flat=True)):
            if context.stop():
                return ()
            _forget(model, key)
    return ()


def _forget(model: type[Roster] | type[Job], key: int) -> None:
    """Forget one with its rows. One that takes a step just now is locked: the next pass comes again."""
    with transaction.atomic():
        for row in model._default_manager.select_for_update(skip_locked=True).filter(pk=key):
            row.delete()


OLD_JOBS = Step((), _look_at_nothing, _forget_jobs)
