"""Mail that does not go on as it should: aliases that the MTA in front does not expand, and mail in a circle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet, Value
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.directory.mta_expansion import UNEXPANDED_HOURS
from mailstore.policy.addresses import shown_name
from popadmin.lists.trace_list import NOT_DELIVERED
from popadmin.panel import access
from popadmin.panel.attention.fault import BAD, NAMED_MOST, Evidence, Fault, Rank, found
from popadmin.web.formats import count

COUNTED_MOST = 1_000  # faults of this kind; nobody needs to know a larger number
LOOP_HOURS = 24  # a circle that goes on brings a message again within this time


def misled_mail(evidence: Evidence) -> Iterator[Fault]:
    """Yield a row for each address whose mail lately came here but for the MTA to send on, or came back. One query.

    Of many, the first ones have a row each, and one row stands for the others.
    """
    unexpanded = access.aliases(evidence.user).filter(
        unexpanded_at__gt=evidence.now - timedelta(hours=UNEXPANDED_HOURS)
    )
    looped = access.mailboxes(evidence.user).filter(looped_at__gt=evidence.now - timedelta(hours=LOOP_HOURS))
    aliases = _rows(unexpanded, is_loop=False, name="address", at="unexpanded_at")
    mailboxes = _rows(looped, is_loop=True, name="user__address", at="looped_at")
    rows = list(aliases.union(mailboxes, all=True).order_by("-at", "name")[:COUNTED_MOST])
    named = rows if len(rows) <= NAMED_MOST else rows[: NAMED_MOST - 1]
    for row in named:
        make = _loop if row["is_loop"] else _unexpanded
        yield make(row["pk"], row["name"], row["at"])
    if number := len(rows) - len(named):
        yield _others(number)


def _rows(found: QuerySet[Any], *, is_loop: bool, name: str, at: str) -> QuerySet[Any, dict[str, Any]]:
    rows: QuerySet[Any, dict[str, Any]] = found.order_by().values("pk", is_loop=Value(is_loop), name=F(name), at=F(at))
    return rows


def _unexpanded(alias: int, address: str, at: datetime) -> Fault:
    return Fault(
        rank=Rank.UNEXPANDED,
        level=BAD,
        text=_("Mail for %(address)s waits at the mail server") % {"address": shown_name(address)},
        consequence=_("A target is outside, and the mail server in front does not expand the address."),
        remedy=_("Show the alias"),
        url=reverse("aliases-one", args=[alias]),
        when=found(at),
    )


def _others(number: int) -> Fault:
    text = ngettext(
        "Mail for %(number)s more address does not go on", "Mail for %(number)s more addresses does not go on", number
    )
    return Fault(
        rank=Rank.MAIL_LOOP,
        level=BAD,
        text=text % {"number": count(number)},
        consequence=_("It waits at the mail server, or was refused as it goes in a circle."),
        remedy=_("Show this mail"),
        url=f"{reverse('trace')}?answer={NOT_DELIVERED}",
        count=number,
    )


def _loop(mailbox: int, address: str, at: datetime) -> Fault:
    return Fault(
        rank=Rank.MAIL_LOOP,
        level=BAD,
        text=_("Mail for %(address)s goes in a circle") % {"address": shown_name(address)},
        consequence=_("A message came back here and was refused: another site forwards it to where it came from."),
        remedy=_("Show the mailbox"),
        url=reverse("mailboxes-one", args=[mailbox]),
        when=found(at),
    )
