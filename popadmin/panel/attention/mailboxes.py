"""Mailboxes that refuse mail because they are full, and those that soon will."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.models import Domain, Mailbox
from mailstore.policy.addresses import shown_name
from popadmin.panel import access
from popadmin.panel.attention.fault import BAD, NAMED_MOST, WARN, Evidence, Fault, Rank, since
from popadmin.web import mailbox_state
from popadmin.web.formats import clock, count, day, used_of


def full(evidence: Evidence) -> Iterator[Fault]:
    """Yield a row for each full mailbox, or for the first ones and one for the others."""
    total, keys = evidence.totals.total.full, evidence.totals.fullest
    if not total or not keys:
        return
    named = NAMED_MOST if total <= NAMED_MOST else NAMED_MOST - 1
    rows = access.mailboxes(evidence.user).in_bulk(keys[:named])
    there = [rows[key] for key in keys[:named] if key in rows]
    verdict = ngettext(
        "%(number)s mailbox is refusing mail", "%(number)s mailboxes are refusing mail", total
    ) % {"number": count(total)}  # fmt: skip
    for mailbox in there:
        yield _full(mailbox, verdict)
    if total > len(there):
        yield _others(total, total - len(there), verdict)


def nearly_full(evidence: Evidence) -> Iterator[Fault]:
    """Yield one row for all of them. The list behind it has the full ones too."""
    number = evidence.totals.total.near - evidence.totals.total.full
    if number > 0:
        text = ngettext("%(number)s mailbox is nearly full", "%(number)s mailboxes are nearly full", number)
        yield Fault(
            rank=Rank.MAILBOX_NEAR,
            level=WARN,
            text=text % {"number": count(number)},
            consequence=_("Full mailboxes refuse new mail."),
            remedy=_("Show mailboxes"),
            url=f"{reverse('mailboxes')}?usage=90",
        )


def _full(mailbox: Mailbox, verdict: str) -> Fault:
    return Fault(
        rank=Rank.MAILBOX_FULL,
        level=BAD,
        text=_("%(address)s refuses mail: full") % {"address": shown_name(mailbox.user.address)},
        consequence=_consequence(mailbox),
        remedy=_("Make room"),
        url=reverse("mailboxes-one", args=[mailbox.pk]),
        when=since(mailbox_state.full_by_quota(mailbox) or mailbox_state.warned_full(mailbox)),
        verdict=verdict,
    )


def _consequence(mailbox: Mailbox) -> str:
    sentences = [_usage(mailbox)]
    if mailbox.quota_lowered_at is not None:
        sentences.append(_lowered(mailbox.quota_lowered_at))
    sentences.append(_answer(mailbox.domain))
    return format_html(" ".join(["{}"] * len(sentences)), *sentences)


def _lowered(at: datetime.datetime) -> SafeString:
    if timezone.localdate(at) == timezone.localdate():
        return format_html(_("Quota lowered at {time}."), time=clock(at))
    return format_html(_("Quota lowered on {day}."), day=day(at))


def _usage(mailbox: Mailbox) -> str:
    """Return the quota that is reached: of octets, else of messages."""
    if mailbox.quota_octets is not None and mailbox.octets >= mailbox.quota_octets:
        return f"{used_of(mailbox.octets, mailbox.quota_octets)}."
    quota_messages = mailbox.quota_messages or 0
    text = ngettext("%(used)s of %(quota)s message.", "%(used)s of %(quota)s messages.", quota_messages)
    return text % {"used": count(mailbox.messages), "quota": count(quota_messages)}


def _answer(domain: Domain) -> str:
    if domain.over_quota == Domain.OverQuota.REJECT:
        return _("Senders are told that it is full.")
    return _("Senders are asked to try again later.")


def _others(total: int, number: int, verdict: str) -> Fault:
    text = ngettext("%(number)s more mailbox is full", "%(number)s more mailboxes are full", number)
    return Fault(
        rank=Rank.MAILBOX_FULL,
        level=BAD,
        text=text % {"number": count(number)},
        consequence=_("Full mailboxes refuse new mail."),
        remedy=_("All %(total)s") % {"total": count(total)},
        url=f"{reverse('mailboxes')}?usage=100",
        verdict=verdict,
        count=number,
    )
