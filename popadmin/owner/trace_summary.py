"""A sentence for the owner: how much mail was deferred or refused lately, when, and why."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.messages import trace_history
from mailstore.models import Mailbox
from popadmin.web.formats import calendar_day, count, fill, long_date

LATELY_DAYS = 14


def sentence(mailbox: Mailbox, *, now: datetime) -> str:
    """Return "3 messages were deferred on Sunday because your mailbox was full"; empty if nothing was."""
    number, first = trace_history.deferrals(mailbox, since=now - timedelta(days=LATELY_DAYS))
    if first is None:
        return ""
    text = ngettext(
        "%(number)s message was deferred since %(day)s because your mailbox was full.",
        "%(number)s messages were deferred since %(day)s because your mailbox was full.",
        number,
    )
    date = timezone.localtime(first).date()
    told = fill(text, number=count(number), day=calendar_day(date, long_date(date)))
    return format_html("{} {}", told, _("The senders’ servers try again for some days."))
