"""The steps that forget old records: diary, trace, web sessions, profile links, networks, jobs, files of mailboxes.

- DIARY deletes sessions of the diary that are older than the policy of the mailbox says. Mailboxes that are on hold or
  removed keep theirs. With them go refused names that nobody tried for as long as no policy says otherwise.
- TRACE deletes what senders were answered as long ago: by the policy of the mailbox, of the domain where no mailbox is
  concerned, else after DIARY_DAYS.
- WEB_SESSIONS deletes web sessions that have ended.
- PROFILE_LINKS deletes links to profiles that nobody has used in time. It has no figure.
- KNOWN_NETWORKS deletes networks from which a user signed in longer than a month ago, and of each user all but the
  newest. It has no figure, since no page shows one.
- OLD_JOBS deletes old jobs and files of mailboxes, with their rows, done or not. It has no figure either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from mailstore.models import Job, MailboxImport, ProfileLink, WebSession
from mailstore.policy.networks import KNOWN_DAYS, NETWORKS_KEPT
from mailstore.sql.policy_source import followed, site_policy
from mailstore.sql.sweep_step import Step, SweepContext, windows

DIARY_DAYS = 90  # where no policy says otherwise

_KEPT = f"""
  mailstore_mailbox box
  JOIN mailstore_domain dom ON dom.id = box.domain_id
  LEFT JOIN mailstore_retentionpolicy p ON {followed()}
 CROSS JOIN LATERAL (SELECT %(now)s - make_interval(days => coalesce(p.diary_days, {DIARY_DAYS})) AS at) AS since
 WHERE box.id = ANY(%(boxes)s) AND NOT box.held AND box.removed_at IS NULL
"""
# A row ends after it began, so the index by beginnings finds what is old.
_OF_OLD = f"{_KEPT} AND s.mailbox_id = box.id AND s.started_at < since.at AND s.ended_at < since.at"
_COUNT_DIARY = f"SELECT count(*) FROM mailstore_diarysession s WHERE EXISTS (SELECT FROM {_OF_OLD})"
_FORGET_DIARY = f"DELETE FROM mailstore_diarysession s USING {_OF_OLD}"
# Earlier stays of messages that were restored as long ago: no session of their time is left.
# They stay a day in any case: a session that opened within such a stay may still list it.
_FORGET_STAYS = f"""
DELETE FROM mailstore_earlierstay e USING {_KEPT}
   AND e.mailbox_id = box.id AND e.restored_at < least(since.at, %(now)s - interval '1 day')
"""

# The rows of workers that have ended, or have written nothing for a day.
_FORGET_BATCHES = "DELETE FROM mailstore_diarybatch WHERE written_at < %(now)s::timestamptz - interval '1 day'"


_FORGET_REFUSED = f"""
DELETE FROM mailstore_refusedname WHERE last_at < %(now)s::timestamptz - interval '{DIARY_DAYS} days'
"""


def _count_diary(context: SweepContext) -> tuple[int]:
    return (sum(_each_window(context, _COUNT_DIARY)),)


def _forget_diary(context: SweepContext) -> tuple[int]:
    forgotten = sum(_each_window(context, _FORGET_DIARY))
    for _stays in _each_window(context, _FORGET_STAYS):
        pass
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_BATCHES, {"now": context.now})
        cursor.execute(_FORGET_REFUSED, {"now": context.now})
    return (forgotten,)


def _each_window(context: SweepContext, statement: str) -> Iterator[int]:
    for keys in windows(context):
        with connection.cursor() as cursor:
            cursor.execute(statement, {"boxes": keys, "now": context.now})
            yield cursor.fetchone()[0] if cursor.description else cursor.rowcount


DIARY = Step(("diary",), _count_diary, _forget_diary)

# Three kinds of rows, each by an index of its own.
_TRACE_OF_MAILBOX = f"{_KEPT} AND te.mailbox_id = box.id AND te.at < since.at"
_TRACE_OF_DOMAIN = f"""
  mailstore_domain dom
  LEFT JOIN mailstore_retentionpolicy p ON p.id = coalesce(dom.policy_id, {site_policy()})
 CROSS JOIN LATERAL (SELECT %(now)s - make_interval(days => coalesce(p.diary_days, {DIARY_DAYS})) AS at) AS since
 WHERE dom.removed_at IS NULL AND te.domain_id = dom.id AND te.mailbox_id IS NULL AND te.at < since.at
"""
_TRACE_OF_NOBODY = f"""te.domain_id IS NULL AND te.mailbox_id IS NULL AND NOT te.copy
   AND te.at < %(now)s::timestamptz - interval '{DIARY_DAYS} days'"""
_COUNT_TRACE_OF_MAILBOX = f"SELECT count(*) FROM mailstore_traceentry te WHERE EXISTS (SELECT FROM {_TRACE_OF_MAILBOX})"
_COUNT_OTHER_TRACE = (
    f"SELECT count(*) FROM mailstore_traceentry te WHERE EXISTS (SELECT FROM {_TRACE_OF_DOMAIN})",
    f"SELECT count(*) FROM mailstore_traceentry te WHERE {_TRACE_OF_NOBODY}",
)
_FORGET_TRACE_OF_MAILBOX = f"DELETE FROM mailstore_traceentry te USING {_TRACE_OF_MAILBOX}"
_FORGET_OTHER_TRACE = (
    f"DELETE FROM mailstore_traceentry te USING {_TRACE_OF_DOMAIN}",
    f"DELETE FROM mailstore_traceentry te WHERE {_TRACE_OF_NOBODY}",
)


def _count_trace(context: SweepContext) -> tuple[int]:
    return (_trace(context, _COUNT_TRACE_OF_MAILBOX, _COUNT_OTHER_TRACE),)


def _forget_trace(context: SweepContext) -> tuple[int]:
    return (_trace(context, _FORGET_TRACE_OF_MAILBOX, _FORGET_OTHER_TRACE),)


def _trace(context: SweepContext, of_mailboxes: str, others: Iterable[str]) -> int:
    rows = sum(_each_window(context, of_mailboxes))
    for statement in others:
        if not context.stop():
            with connection.cursor() as cursor:
                cursor.execute(statement, {"now": context.now})
                rows += cursor.fetchone()[0] if cursor.description else cursor.rowcount
    return rows


TRACE = Step(("trace",), _count_trace, _forget_trace)


def _ended(context: SweepContext) -> QuerySet[WebSession]:
    return WebSession.objects.filter(expire_date__lt=context.now)


def _count_sessions(context: SweepContext) -> tuple[int]:
    return (_ended(context).count(),)


def _forget_sessions(context: SweepContext) -> tuple[int]:
    count, _kinds = (0, {}) if context.stop() else _ended(context).delete()
    return (count,)


WEB_SESSIONS = Step(("sessions",), _count_sessions, _forget_sessions)


def _count_nothing(_context: SweepContext) -> tuple[()]:
    return ()


def _forget_links(context: SweepContext) -> tuple[()]:
    ProfileLink.objects.filter(ends_at__lt=context.now).delete()
    return ()


PROFILE_LINKS = Step((), _count_nothing, _forget_links)


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


KNOWN_NETWORKS = Step((), _count_nothing, _forget_networks)


KEPT_MAILBOX_IMPORTS = timedelta(days=7)  # one that nobody carried out still has the passwords of its file
KEPT_JOBS = timedelta(days=30)  # results are looked at soon, or never


def _forget_jobs(context: SweepContext) -> tuple[()]:
    for model, kept in ((MailboxImport, KEPT_MAILBOX_IMPORTS), (Job, KEPT_JOBS)):
        old = model._default_manager.filter(created_at__lt=context.now - kept)
        for key in list(old.values_list("pk", flat=True)):
            if context.stop():
                return ()
            _forget(model, key)
    return ()


def _forget(model: type[MailboxImport] | type[Job], key: int) -> None:
    """Forget one with its rows. One that takes a step just now is locked: the next pass comes again."""
    with transaction.atomic():
        for row in model._default_manager.select_for_update(skip_locked=True).filter(pk=key):
            row.delete()


OLD_JOBS = Step((), _count_nothing, _forget_jobs)
