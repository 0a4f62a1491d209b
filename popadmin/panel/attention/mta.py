"""Mail that does not go on as it should: aliases that the MTA in front does not expand, and mail in a circle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet, Value
from django.urls import reverse
from django.utils.translation import gettext as _

from mailstore.directory.mta_expansion import UNEXPANDED_HOURS
from mailstore.policy.addresses import shown_name
from popadmin.panel import access
from popadmin.panel.attention.fault import BAD, NAMED_MOST, Evidence, Fault, Rank, found

LOOP_HOURS = 24  # a circle that goes on brings a message again within this time


def misled_mail(evidence: Evidence) -> Iterator[Fault]:
    """Yield a row for each address whose mail lately came here but for the MTA to send on, or came back. One query."""
    unexpanded = access.aliases(evidence.user).filter(
        unexpanded_at__gt=evidence.now - timedelta(hours=UNEXPANDED_HOURS)
    )
    looped = access.mailboxes(evidence.user).filter(looped_at__gt=evidence.now - timedelta(hours=LOOP_HOURS))
    aliases = _rows(unexpanded, is_loop=False, name="address", at="unexpanded_at")
    mailboxes = _rows(looped, is_loop=True, name="user__address", at="looped_at")
    for row in aliases.union(mailboxes, all=True).order_by("-at", "name")[:NAMED_MOST]:
        make = _loop if row["is_loop"] else _unexpanded
        yield make(row["pk"], row["name"], row["at"])


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
