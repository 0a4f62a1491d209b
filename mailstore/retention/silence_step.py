"""Devices that were silent for too long count no more: first a mail to their owner, some days later the end of it."""

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


_UNTOLD = f"""
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
    """A device that signs in meanwhile is heard: sign-ins are noted without the mailbox's lock."""
    return f"""
UPDATE {tables.device} d SET silent_since = %(now)s
  FROM ({_silent(tables)} AND box.id = %(mailbox)s) AS found (mailbox, device, last_sign_in_at)
 WHERE d.id = found.device AND d.last_sign_in_at IS NOT DISTINCT FROM found.last_sign_in_at
"""


@dataclass(frozen=True, slots=True)
class _Untold:
    device: int
    mailbox: int
    address: str
    language: str
    main: bool
    name: str
    last_sign_in_at: datetime | None
    heard_at: datetime
    until: datetime


def _act(round: SweepContext) -> tuple[int]:
    _tell(round)
    return _end(round)


def _mailboxes(round: SweepContext) -> list[int]:
    """Those with devices that count no more from now on."""
    with connection.cursor() as cursor:
        cursor.execute(_silent(round.tables), {"now": round.now})
        return sorted({mailbox for mailbox, _device, _heard in cursor.fetchall()})


def _end(round: SweepContext) -> tuple[int]:
    """End their counting, whose owners were told in time; returns how many devices."""
    silenced = 0
    for mailbox in _mailboxes(round):
        if round.stop():
            break
        silenced += _silence(mailbox, round)
    return (silenced,)


def _tell(round: SweepContext) -> None:
    for batch in _untold(round):
        told = {(untold.mailbox, untold.name): untold for untold in batch}
        for untold in told.values():
            if notices.deliver([_notice(untold)], now=round.now):
                _note(untold, round)


def _note(untold: _Untold, round: SweepContext) -> None:
    """Unless it has signed in since it was found: then this silence is over, and the next is told anew."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"device": untold.device, "found": untold.last_sign_in_at, "now": round.now})


def _untold(round: SweepContext) -> Iterator[list[_Untold]]:
    after = 0
    while not round.stop():
        with connection.cursor() as cursor:
            cursor.execute(_UNTOLD, {"now": round.now, "after": after})
            batch = [_Untold(*row) for row in cursor.fetchall()]
        if not batch:
            return
        yield batch
        after = batch[-1].device


@transaction.atomic
def _silence(mailbox: int, round: SweepContext) -> int:
    """End their counting behind the mailbox's lock; what waited for them alone is the next step's."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT FROM {round.tables.mailbox} WHERE id = %(mailbox)s FOR UPDATE", {"mailbox": mailbox})
        cursor.execute(_silencing(round.tables), {"now": round.now, "mailbox": mailbox})
        return int(cursor.rowcount)


def _notice(untold: _Untold) -> Notice:
    with notices.speaking(untold.language):
        name = _("the main password") if untold.main else _("the device “%(name)s”") % {"name": untold.name}
        figures = {
            "name": name,
            "address": untold.address,
            "last": date_format(untold.heard_at.date(), "DATE_FORMAT"),
            "until": date_format(untold.until.date(), "DATE_FORMAT"),
        }
        subject = _("Mail will no longer wait for %(name)s") % figures
        text = _(
            "With %(name)s nobody has fetched mail of %(address)s since %(last)s.\n\n"
            "If that stays so until %(until)s, mail no longer waits for it: what all other devices have may leave the "
            "server, as the rules of your mailbox say. Nothing is lost by that: it rests in recovery for some time.\n\n"
            "To keep things as they are, let it fetch mail once. If you no longer have it, revoke it.\n"
        )
    occasion = f"silence {untold.device} {untold.heard_at}"
    return Notice(untold.mailbox, untold.address, untold.language, subject, text % figures, occasion)


SILENCE = Step(("silenced",), None, _act, sways=_mailboxes, copied=_end)
