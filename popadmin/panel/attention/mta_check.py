"""The way of the mail by the MTA, as its last check found it. Only hosting admins see these faults."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.mta import check_text
from popadmin.panel.attention.fault import WARN, Fault, Rank, SiteEvidence, found, since
from popadmin.web.formats import count


def mail_flow(evidence: SiteEvidence) -> Iterator[Fault]:
    """Yield a row if the last check of the mail flow found faults, or is too old after a setup."""
    last = evidence.mail_flow
    if last.bad:
        number = len(last.bad)
        text = ngettext("%(number)s problem in the mail flow", "%(number)s problems in the mail flow", number)
        yield Fault(
            rank=Rank.MAIL_FLOW,
            level=WARN,
            text=text % {"number": count(number)},
            consequence=check_text.fault(last.bad[0]),
            remedy=_("See mail flow"),
            url=reverse("mail-flow"),
            when=found(last.checked_at),
        )
    elif last.is_overdue(evidence.now):
        yield Fault(
            rank=Rank.MAIL_FLOW,
            level=WARN,
            text=_("The mail flow has not been checked"),
            consequence=_("Nobody knows whether mail still comes in and goes out."),
            remedy=_("See mail flow"),
            url=reverse("mail-flow"),
            when=since(last.checked_at or last.set_up_at),
        )
