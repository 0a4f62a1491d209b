"""What a removed mailbox or domain is told by: until when it rests, why its name is taken; it moves no row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import Domain, Mailbox


@dataclass(frozen=True, slots=True)
class Removed:
    """What left by a removal, or for good by a purge. Messages and octets are those of the live maildrops."""

    mailboxes: int
    aliases: int
    messages: int
    octets: int


def gone(actor: Actor) -> dict[str, Any]:
    """The columns of a row that `actor` removes now."""
    return {"removed_at": timezone.now(), "removed_by": actor.name}


def back() -> dict[str, Any]:
    """The columns of a mailbox that is brought back.

    Its rules count from now, as if they were chosen anew: what fell due while it rested does not go at once.
    """
    return {"removed_at": None, "removed_by": "", "removed_with_domain": False, "policy_since": timezone.now()}


def kept_until(removed_at: datetime) -> datetime:
    """From when on the sweep purges what was removed then."""
    return removed_at + timedelta(days=settings.REMOVED_DAYS)


def refusal(row: Mailbox | Domain) -> Rejected:
    """Why a removed row cannot be used, and what to do."""
    if row.removed_at is None:
        raise ValueError(f"{row} is not removed")
    if isinstance(row, Mailbox) and row.removed_with_domain:
        return refusal(row.domain)
    if row.purge_asked_at is not None:
        return Rejected(_("%(name)s is being destroyed: its name is free in a few minutes") % {"name": row})
    return Rejected(
        _("%(name)s was removed on %(date)s: restore it, or purge it to use its name again")
        % {"name": row, "date": date_format(timezone.localtime(row.removed_at))}
    )


def refuse_asked(row: Mailbox | Domain) -> None:
    """Refuse what is about to be destroyed: it cannot be brought back, and need not be asked for twice."""
    if row.purge_asked_at is not None:
        raise refusal(row)


def due_before(now: datetime) -> datetime:
    """What was removed before this has rested long enough."""
    return now - timedelta(days=settings.REMOVED_DAYS)


def due(now: datetime) -> Q:
    """Which removed rows the sweep purges: those that have rested, and those that somebody wants destroyed."""
    asked = Q(purge_asked_at__isnull=False)
    return Q(removed_at__isnull=False) & (Q(removed_at__lt=due_before(now)) | asked)


def not_removed(row: Mailbox | Domain) -> Rejected:
    """Why a row that is there can be neither restored nor purged."""
    return Rejected(_("%(name)s is not removed: only what was removed is restored or purged") % {"name": row})


def unknown(address: str) -> Rejected:
    """Why an address that is no mailbox cannot be used as one."""
    return Rejected(_("%(address)s is not a mailbox of this site") % {"address": address})
