"""The step after which mail no longer waits for silent devices. Their owners got a notice days before."""

from __future__ import annotations

from functools import cache

from django.db import connection, transaction

from mailstore.policy.retention import SILENCE_NOTICE_DAYS
from mailstore.sql.policy_source import followed
from mailstore.sql.statements.view import counts
from mailstore.sql.sweep_step import Step, SweepContext
from mailstore.sql.tables import Tables

SILENT_DAYS = 45  # where no policy says otherwise


def counting_devices(tables: Tables) -> str:
    """Return SQL: devices d that count, as `heard_devices` has them."""
    return f"""
{heard_devices(tables)}
 WHERE {counts(device="d", mailbox="box")} AND NOT box.held AND box.removed_at IS NULL
"""


def heard_devices(tables: Tables) -> str:
    """Return SQL: devices d, when each was last heard of, and after how many silent days it stops counting.

    The notice is that of policy.retention.notice_days.
    """
    return f"""
  FROM {tables.device} d
  JOIN {tables.mailbox} box ON box.id = d.mailbox_id
  JOIN mailstore_user u ON u.id = box.user_id
  JOIN {tables.domain} dom ON dom.id = box.domain_id
  LEFT JOIN {tables.policy} p ON {followed(tables=tables)}
 CROSS JOIN LATERAL (SELECT coalesce(d.last_sign_in_at, d.created_at) AS at) AS heard
 CROSS JOIN LATERAL (SELECT coalesce(p.silent_days, {SILENT_DAYS}) AS days) AS silence
 CROSS JOIN LATERAL (SELECT least({SILENCE_NOTICE_DAYS}, greatest(1, silence.days / 2)) AS days) AS notice
"""


@cache
def _silent(tables: Tables) -> str:
    return f"""
SELECT d.mailbox_id, d.id, d.last_sign_in_at
{counting_devices(tables)} AND d.silence_notified_at <= %(now)s - make_interval(days => notice.days)
   AND heard.at <= %(now)s - make_interval(days => silence.days)
"""


@cache
def _silencing(tables: Tables) -> str:
    """Return SQL that leaves out a device that has signed in since. A sign-in is noted without the mailbox's lock."""
    return f"""
UPDATE {tables.device} d SET silent_since = %(now)s
  FROM ({_silent(tables)} AND box.id = %(mailbox)s) AS found (mailbox, device, last_sign_in_at)
 WHERE d.id = found.device AND d.last_sign_in_at IS NOT DISTINCT FROM found.last_sign_in_at
"""


def _mailboxes(context: SweepContext) -> list[int]:
    """Return the mailboxes with devices that stop counting now."""
    with connection.cursor() as cursor:
        cursor.execute(_silent(context.tables), {"now": context.now})
        return sorted({mailbox for mailbox, _device, _heard in cursor.fetchall()})


def _end(context: SweepContext) -> tuple[int]:
    """Stop counting silent devices whose owners got a notice in time; return how many."""
    silenced = 0
    for mailbox in _mailboxes(context):
        if context.stop():
            break
        silenced += _silence(mailbox, context)
    return (silenced,)


@transaction.atomic
def _silence(mailbox: int, context: SweepContext) -> int:
    """Stop counting them, under the mailbox's lock. The next step moves the mail that waited for them alone."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT FROM {context.tables.mailbox} WHERE id = %(mailbox)s FOR UPDATE", {"mailbox": mailbox})
        cursor.execute(_silencing(context.tables), {"now": context.now, "mailbox": mailbox})
        return int(cursor.rowcount)


SILENCE = Step(("silenced",), None, _end, coupled=_mailboxes, on_copies=_end)
