"""The step that tells owners that their mailbox sent more than it may, once a day, and forgets full budgets.

It may be their own mail; or somebody sends with a stolen password, which they should know soon.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.amount_text import count
from mailstore.delivery import notices
from mailstore.delivery.notices import Notice
from mailstore.models import SendingBudget
from mailstore.sql.sweep_step import Step, SweepContext

_TO_TELL = """
SELECT sb.id, box.id, u.address, u.language, sb.refused, sb.by_domain
  FROM mailstore_sendingbudget sb
  JOIN mailstore_mailbox box ON box.id = sb.mailbox_id
  JOIN mailstore_user u ON u.id = box.user_id
 WHERE sb.refused_at > coalesce(sb.warned_at + interval '1 day', '-infinity') AND box.removed_at IS NULL
 ORDER BY sb.id
"""
# After two days a budget is full. The finding of a refusal lasts as long.
_FORGET = """
DELETE FROM mailstore_sendingbudget WHERE id IN (
    SELECT sb.id FROM mailstore_sendingbudget sb WHERE sb.at < %(now)s::timestamptz - interval '2 days'
       FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class _Refusals:
    budget: int
    mailbox: int
    address: str
    language: str
    refused: int
    by_domain: bool


def _count_nothing(_context: SweepContext) -> tuple[()]:
    return ()


def _act(context: SweepContext) -> tuple[()]:
    for refusals in _to_tell():
        if context.stop():
            return ()
        if notices.deliver([_notice(refusals, context.now)], now=context.now):
            SendingBudget.objects.filter(pk=refusals.budget).update(warned_at=context.now)
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"now": context.now})
    return ()


def _to_tell() -> list[_Refusals]:
    with connection.cursor() as cursor:
        cursor.execute(_TO_TELL)
        return [_Refusals(*row) for row in cursor.fetchall()]


def _notice(refusals: _Refusals, now: datetime) -> Notice:
    with notices.in_language(refusals.language):
        subject = _("%(address)s has sent too many messages") % {"address": refusals.address}
        first = ngettext(
            "%(number)s message from %(address)s was not sent: %(limit)s.",
            "%(number)s messages from %(address)s were not sent: %(limit)s.",
            refusals.refused,
        ) % {"number": count(refusals.refused), "address": refusals.address, "limit": _limit(refusals)}
        text = _(
            "The mail program keeps such a message, and can send it later.\n\n"
            "If it was not you, somebody else has the password: change it, and revoke devices that you do not know. "
            "The diary of the mailbox shows who signed in to send, and from where.\n"
        )
    occasion = f"sending {refusals.mailbox} {now:%Y-%m-%d}"
    return Notice(refusals.mailbox, refusals.address, refusals.language, subject, f"{first}\n\n{text}", occasion)


def _limit(refusals: _Refusals) -> str:
    if refusals.by_domain:
        return _("the domain has sent as many as it may for now")
    return _("the mailbox has sent as many as it may for now")


SENDING_NOTICE = Step((), _count_nothing, _act)
