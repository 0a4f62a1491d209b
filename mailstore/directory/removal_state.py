"""What removed mailboxes and domains have in common: their columns, when they are due, and how they are refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from mailstore.directory.outcome import Rejected
from mailstore.models import Domain, Mailbox


@dataclass(frozen=True, slots=True)
class Removed:
    """What went with a removal or a purge. Messages and octets are those of the live maildrops."""

    mailboxes: int
    aliases: int
    messages: int
    octets: int


def removed_columns(actor_name: str) -> dict[str, Any]:
    """Return the columns of a row that somebody removes now."""
    return {"removed_at": timezone.now(), "removed_by": actor_name}


def restored_columns() -> dict[str, Any]:
    """Return the columns of a mailbox that is restored.

    Its rules count from now, as if chosen anew. So mail that fell due while it was removed does not leave at once.
    """
    return {"removed_at": None, "removed_by": "", "removed_with_domain": False, "policy_since": timezone.now()}


def kept_until(removed_at: datetime) -> datetime:
    """Return when the sweep may purge what was removed at that time."""
    return removed_at + timedelta(days=settings.REMOVED_DAYS)


def refusal(row: Mailbox | Domain) -> Rejected:
    """Return why a removed row cannot be used, and what to do."""
    if row.removed_at is None:
        raise ValueError(f"{row} is not removed")
    if isinstance(row, Mailbox) and row.removed_with_domain:
        return refusal(row.domain)
    if row.purge_requested_at is not None:
        return Rejected(_("%(name)s is being deleted for good: its name will be free in a few minutes") % {"name": row})
    return Rejected(
        _("%(name)s was removed on %(date)s: restore it, or delete it for good to use its name again")
        % {"name": row, "date": date_format(timezone.localtime(row.removed_at), "j F Y")}
    )


def refuse_purge_pending(row: Mailbox | Domain) -> None:
    """Refuse a row that waits to be purged: it cannot be restored, and a second request changes nothing."""
    if row.purge_requested_at is not None:
        raise refusal(row)


def due_before(now: datetime) -> datetime:
    """Return the time before which a removal is old enough to be purged."""
    return now - timedelta(days=settings.REMOVED_DAYS)


def due(now: datetime) -> Q:
    """Return which removed rows the sweep purges: those old enough, and those that somebody wants purged."""
    requested = Q(purge_requested_at__isnull=False)
    return Q(removed_at__isnull=False) & (Q(removed_at__lt=due_before(now)) | requested)


def not_removed(row: Mailbox | Domain) -> Rejected:
    """Return why a row that is not removed can be neither restored nor purged."""
    return Rejected(
        _("%(name)s is not removed: only what was removed can be restored or deleted for good") % {"name": row}
    )
