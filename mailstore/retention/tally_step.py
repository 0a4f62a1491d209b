"""The step that counts deliveries, refusals and sign-ins by day and domain: the overview reads sums, not the mail.

It also notes what each domain stores, for its growth.

Deliveries are counted by primary key, from where the last pass stopped up to those whose transactions surely ended.
Sign-ins, and the answers that refused or deferred a message, are counted by the hours that are over. The sums leave out
what is written later than ten minutes after its hour, and a message that was purged between two passes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from mailstore.models import DiarySession, TallyMark, TraceEntry
from mailstore.sql.sweep_step import Step, SweepContext

KEPT_DAYS = 400  # a year, and a month more
COUNTED_DAYS = 31  # how far back the first pass counts
LATE = timedelta(minutes=10)
SETTLED = timedelta(minutes=1)  # beside older bodies no transaction is open

_NEXT_MESSAGE = """
SELECT coalesce(max(m.id), %(after)s)
  FROM mailstore_message m JOIN mailstore_body b ON b.id = m.body_id
 WHERE m.id > %(after)s AND b.created_at < clock_timestamp() - make_interval(secs => %(settled_seconds)s)
"""
_DELIVERIES = """
INSERT INTO mailstore_tally AS t (day, domain_id, deliveries, octets, sign_ins, refused)
SELECT (m.arrived_at AT TIME ZONE 'UTC')::date, box.domain_id, count(*), sum(m.octets), 0, 0
  FROM mailstore_message m JOIN mailstore_mailbox box ON box.id = m.mailbox_id
 WHERE m.id > %(after)s AND m.id <= %(until)s AND m.arrived_at > now() - make_interval(days => %(days)s)
 GROUP BY 1, 2
    ON CONFLICT (day, domain_id) DO UPDATE
   SET deliveries = t.deliveries + excluded.deliveries, octets = t.octets + excluded.octets
"""
_SIGN_INS = """
INSERT INTO mailstore_tally AS t (day, domain_id, deliveries, octets, sign_ins, refused)
SELECT (s.started_at AT TIME ZONE 'UTC')::date, box.domain_id, 0, 0,
       coalesce(sum(s.sessions) FILTER (WHERE s.ended <> ALL(%(refused)s)), 0),
       coalesce(sum(s.sessions) FILTER (WHERE s.ended = ANY(%(refused)s)), 0)
  FROM mailstore_diarysession s JOIN mailstore_mailbox box ON box.id = s.mailbox_id
 WHERE s.started_at >= %(since)s AND s.started_at < %(until)s
 GROUP BY 1, 2
    ON CONFLICT (day, domain_id) DO UPDATE
   SET sign_ins = t.sign_ins + excluded.sign_ins, refused = t.refused + excluded.refused
"""
_UNDELIVERED = """
INSERT INTO mailstore_tally AS t (day, domain_id, deliveries, octets, sign_ins, refused, undelivered, undelivered_full)
SELECT (te.at AT TIME ZONE 'UTC')::date, dom.id, 0, 0, 0, 0,
       sum(te.tries), coalesce(sum(te.tries) FILTER (WHERE te.reason = ANY(%(full)s)), 0)
  FROM mailstore_traceentry te JOIN mailstore_domain dom ON dom.id = te.domain_id
 WHERE NOT te.copy AND te.answer <> 'delivered' AND te.answer = ANY(%(answers)s)
   AND te.at >= %(since)s AND te.at < %(until)s
 GROUP BY 1, 2
    ON CONFLICT (day, domain_id) DO UPDATE
   SET undelivered = t.undelivered + excluded.undelivered,
       undelivered_full = t.undelivered_full + excluded.undelivered_full
"""
_STORED = """
INSERT INTO mailstore_tally AS t (day, domain_id, deliveries, octets, sign_ins, refused, stored_octets)
SELECT (now() AT TIME ZONE 'UTC')::date, box.domain_id, 0, 0, 0, 0, sum(box.octets)
  FROM mailstore_mailbox box
 WHERE box.removed_at IS NULL
 GROUP BY 2
    ON CONFLICT (day, domain_id) DO UPDATE
   SET stored_octets = excluded.stored_octets
"""
_FORGET = "DELETE FROM mailstore_tally WHERE day < current_date - %(days)s::int"


def _counts(_context: SweepContext) -> tuple[()]:
    return ()


@transaction.atomic
def count_now() -> None:
    """Count what has come up to now. Only for a site where no mail arrives at this time: it would not be counted."""
    now = timezone.now()
    _count(now, settled=timedelta(0), until=now)


@transaction.atomic
def _act(context: SweepContext) -> tuple[()]:
    if not context.stop():
        _count(context.now, settled=SETTLED, until=(context.now - LATE).replace(minute=0, second=0, microsecond=0))
    return ()


def _count(now: datetime, *, settled: timedelta, until: datetime) -> None:
    """Count on from the last pass: mail with bodies older than `settled`, sessions and answers before `until`."""
    TallyMark.objects.get_or_create(pk=1)
    mark = TallyMark.objects.select_for_update().get(pk=1)
    since = mark.hours_until or until - timedelta(days=COUNTED_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_MESSAGE, {"after": mark.message, "settled_seconds": settled.total_seconds()})
        (message,) = cursor.fetchone()
        cursor.execute(_DELIVERIES, {"after": mark.message, "until": message, "days": COUNTED_DAYS})
        if since < until:
            hours = {"since": since, "until": until}
            cursor.execute(_SIGN_INS, {**hours, "refused": list(map(str, DiarySession.REFUSED))})
            answers, full = list(map(str, TraceEntry.UNDELIVERED)), list(map(str, TraceEntry.FULL))
            cursor.execute(_UNDELIVERED, {**hours, "answers": answers, "full": full})
        cursor.execute(_STORED)
        cursor.execute(_FORGET, {"days": KEPT_DAYS})
    mark.message, mark.hours_until, mark.counted_at = message, max(since, until), now
    mark.save()


TALLY = Step((), _counts, _act)
