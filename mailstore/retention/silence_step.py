"""The step that stops waiting for devices which were silent too long: a mail to the owner first, the end days later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.db import connection, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from mailstore.delivery import notices
from mailstore.delivery.notices import Notice
from mailstore.policy.retention import SILENCE_NOTICE_DAYS
from mailstore.sql.policy_source import followed
from mailstore.sql.statements.view import counts
from mailstore.sql.sweep_step import Step, SweepContext
from mailstore.sql.tables import REAL, Tables

SILENT_DAYS = 45  # where no policy says otherwise
BATCH_NOTICES = 100


def _counting(tables: Tables) -> str:
    """Return SQL: devices d that count, when they were heard of last, and after how many days of silence they will not.

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
 WHERE {counts(device="d", mailbox="box")} AND NOT box.held AND box.removed_at IS NULL
"""


_TO_TELL = f"""
SELECT d.id, box.id, u.address, u.language, d.main, d.name, d.last_sign_in_at, heard.at,
       greatest(heard.at + make_interval(days => silence.days), %(now)s + make_interval(days => notice.days))
{_counting(REAL)} AND d.silence_told_at IS NULL
   AND heard.at <= %(now)s - make_interval(days => silence.days - notice.days) AND d.id > %(after)s
 ORDER BY d.id LIMIT {BATCH_NOTICES}
"""
_NOTE = """
UPDATE mailstore_device SET silence_told_at = %(now)s
 WHERE id = %(device)s AND last_sign_in_at IS NOT DISTINCT FROM %(found)s
"""


@cache
def _silent(tables: Tables) -> str:
    return f"""
SELECT d.mailbox_id, d.id, d.last_sign_in_at
{_counting(tables)} AND d.silence_told_at <= %(now)s - make_interval(days => notice.days)
   AND heard.at <= %(now)s - make_interval(days => silence.days)
"""


@cache
def _silencing(tables: Tables) -> str:
    """A device that signed in meanwhile goes on counting: sign-ins are noted without the mailbox's lock."""
    return f"""
UPDATE {tables.device} d SET silent_since = %(now)s
  FROM ({_silent(tables)} AND box.id = %(mailbox)s) AS found (mailbox, device, last_sign_in_at)
 WHERE d.id = found.device AND d.last_sign_in_at IS NOT DISTINCT FROM found.last_sign_in_at
"""


@dataclass(frozen=True, slots=True)
class _SilentDevice:
    device: int
    mailbox: int
    address: str
    language: str
    main: bool
    name: str
    last_sign_in_at: datetime | None
    heard_at: datetime
    until: datetime


def _act(context: SweepContext) -> tuple[int]:
    _tell(context)
    return _end(context)


def _mailboxes(context: SweepContext) -> list[int]:
    """Return the mailboxes with devices that count no more from now on."""
    with connection.cursor() as cursor:
        cursor.execute(_silent(context.tables), {"now": context.now})
        return sorted({mailbox for mailbox, _device, _heard in cursor.fetchall()})


def _end(context: SweepContext) -> tuple[int]:
    """Let devices count no more whose owners were told in time; returns how many."""
    silenced = 0
    for mailbox in _mailboxes(context):
        if context.stop():
            break
        silenced += _silence(mailbox, context)
    return (silenced,)


def _tell(context: SweepContext) -> None:
    for batch in _to_tell(context):
        by_name = {(silent.mailbox, silent.name): silent for silent in batch}
        for silent in by_name.values():
            if notices.deliver([_notice(silent)], now=context.now):
                _note(silent, context)


def _note(silent: _SilentDevice, context: SweepContext) -> None:
    """Note that the owner was told, unless the device has signed in since: then this silence is over."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"device": silent.device, "found": silent.last_sign_in_at, "now": context.now})


def _to_tell(context: SweepContext) -> Iterator[list[_SilentDevice]]:
    after = 0
    while not context.stop():
        with connection.cursor() as cursor:
            cursor.execute(_TO_TELL, {"now": context.now, "after": after})
            batch = [_SilentDevice(*row) for row in cursor.fetchall()]
        if not batch:
            return
        yield batch
        after = batch[-1].device


@transaction.atomic
def _silence(mailbox: int, context: SweepContext) -> int:
    """Let them count no more, behind the mailbox's lock. The next step moves the mail that waited for them alone."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT FROM {context.tables.mailbox} WHERE id = %(mailbox)s FOR UPDATE", {"mailbox": mailbox})
        cursor.execute(_silencing(context.tables), {"now": context.now, "mailbox": mailbox})
        return int(cursor.rowcount)


def _notice(silent: _SilentDevice) -> Notice:
    with notices.speaking(silent.language):
        name = _("the main password") if silent.main else _("the device “%(name)s”") % {"name": silent.name}
        figures = {
            "name": name,
            "address": silent.address,
            "last": date_format(silent.heard_at.date(), "DATE_FORMAT"),
            "until": date_format(silent.until.date(), "DATE_FORMAT"),
        }
        subject = _("Mail will no longer wait for %(name)s") % figures
        text = _(
            "Nobody has used %(name)s to fetch mail of %(address)s since %(last)s.\n\n"
            "If this does not change before %(until)s, mail no longer waits for it: messages that all other "
            "devices have may be removed from the server, as the rules of your mailbox say. Nothing is "
            "lost: removed messages stay in recovery for some time.\n\n"
            "To keep things as they are, fetch mail once with it. If you no longer have it, revoke it.\n"
        )
    occasion = f"silence {silent.device} {silent.heard_at}"
    return Notice(silent.mailbox, silent.address, silent.language, subject, text % figures, occasion)


SILENCE = Step(("silenced",), None, _act, sways=_mailboxes, copied=_end)
