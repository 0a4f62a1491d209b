"""The step that sends owners of silent devices a notice: soon their mail will no longer wait for these devices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from mailstore.delivery import notices
from mailstore.delivery.notices import Notice
from mailstore.retention.silence_step import counting_devices
from mailstore.sql.sweep_step import Step, SweepContext
from mailstore.sql.tables import REAL

BATCH_NOTICES = 100
DAY = "j F Y"  # `12 November 2026`: a mail has no browser whose region could say more

_TO_TELL = f"""
SELECT d.id, box.id, u.address, u.language, d.main, d.name, d.last_sign_in_at, heard.at,
       greatest(heard.at + make_interval(days => silence.days), %(now)s + make_interval(days => notice.days))
{counting_devices(REAL)} AND d.silence_notified_at IS NULL
   AND heard.at <= %(now)s - make_interval(days => silence.days - notice.days) AND d.id > %(after)s
 ORDER BY d.id LIMIT {BATCH_NOTICES}
"""
_NOTE = """
UPDATE mailstore_device SET silence_notified_at = %(now)s
 WHERE id = %(device)s AND last_sign_in_at IS NOT DISTINCT FROM %(found)s
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


def _act(context: SweepContext) -> tuple[()]:
    for batch in _to_tell(context):
        by_name = {(silent.mailbox, silent.name): silent for silent in batch}
        for silent in by_name.values():
            if notices.deliver([_notice(silent)], now=context.now):
                _note(silent, context)
    return ()


def _note(silent: _SilentDevice, context: SweepContext) -> None:
    """Note that the owner got the notice, unless the device has signed in since: then it is not silent any more."""
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


def _notice(silent: _SilentDevice) -> Notice:
    with notices.in_language(silent.language):
        name = _("the main password") if silent.main else _("the device “%(name)s”") % {"name": silent.name}
        values = {
            "name": name,
            "address": silent.address,
            "last": date_format(silent.heard_at.date(), DAY),
            "until": date_format(silent.until.date(), DAY),
        }
        subject = _("Mail will no longer wait for %(name)s") % values
        text = _(
            "Nobody has fetched mail of %(address)s with %(name)s since %(last)s.\n\n"
            "If this does not change before %(until)s, mail will no longer wait for it. Messages that all other "
            "devices have may then be removed from the server, as your retention policy says. Nothing is "
            "lost: removed messages stay in recovery for some time.\n\n"
            "To keep things as they are, fetch mail once with it. If you no longer have it, revoke it.\n"
        )
    occasion = f"silence {silent.device} {silent.heard_at}"
    return Notice(silent.mailbox, silent.address, silent.language, subject, text % values, occasion)


SILENCE_NOTICE = Step((), None, _act)
