"""Mail that the MTA in front does not send on as it should: aliases that it does not expand, and mail in a circle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailstore.policy.addresses import shown_name
from popadmin.panel import access
from popadmin.panel.alias_page import UNEXPANDED_HOURS
from popadmin.panel.attention.fault import BAD, NAMED_MOST, Evidence, Fault, Rank, found
from popadmin.web.formats import count

LOOP_HOURS = 24  # a circle that goes on brings a message again within this time


def unexpanded(evidence: Evidence) -> Iterator[Fault]:
    """Yield a row for each of the aliases whose mail came here lately, but for the MTA to send on."""
    since = evidence.now - timedelta(hours=UNEXPANDED_HOURS)
    rows = access.aliases(evidence.user).filter(unexpanded_at__gt=since).order_by("-unexpanded_at", "pk")
    late = list(rows[: NAMED_MOST + 1])
    verdict = ngettext("Mail for %(number)s alias waits", "Mail for %(number)s aliases waits", len(late))
    for alias in late[:NAMED_MOST]:
        yield Fault(
            rank=Rank.UNEXPANDED,
            level=BAD,
            text=_("Mail for %(address)s waits at the mail server") % {"address": shown_name(alias.address)},
            consequence=_("A target is outside, and the mail server in front does not expand the address."),
            remedy=_("Show the alias"),
            url=reverse("aliases-one", args=[alias.pk]),
            when=found(alias.unexpanded_at),
            verdict=verdict % {"number": count(len(late))} if len(late) <= NAMED_MOST else _("Mail for aliases waits"),
        )


def loops(evidence: Evidence) -> Iterator[Fault]:
    """Yield a row for each mailbox to which a message came back lately."""
    since = evidence.now - timedelta(hours=LOOP_HOURS)
    rows = access.mailboxes(evidence.user).filter(looped_at__gt=since).order_by("-looped_at", "pk")
    for mailbox in rows[:NAMED_MOST]:
        yield Fault(
            rank=Rank.MAIL_LOOP,
            level=BAD,
            text=_("Mail for %(address)s goes in a circle") % {"address": shown_name(mailbox.user.address)},
            consequence=_("A message came back here and was refused: another site forwards it to where it came from."),
            remedy=_("Show the mailbox"),
            url=reverse("mailboxes-one", args=[mailbox.pk]),
            when=found(mailbox.looped_at),
        )
