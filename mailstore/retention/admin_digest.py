"""Tells administrators which mailboxes filled up since they were told last, at most once a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from mailstore.delivery import notices
from mailstore.models import Mailbox, User
from mailstore.retention import admin_mail
from mailstore.sql.sweep_step import SweepContext

PAUSE = timedelta(days=1)
NAMED = 50  # what is beyond them is counted: the panel lists them all


def send(round: SweepContext) -> int:
    """Send what is due; returns to how many administrators."""
    admins = User.objects.filter(Q(role=User.Role.ADMIN) | Q(grants__isnull=False), is_active=True).distinct()
    due = admins.filter(Q(digested_at=None) | Q(digested_at__lte=round.now - PAUSE))
    return sum(_send_to(admin, round) for admin in due.order_by("pk"))


def _send_to(admin: User, round: SweepContext) -> bool:
    filled = _filled(admin).select_related("user")
    count = filled.count()
    if not count or not _hand_over(admin, count, list(filled.order_by("-warned_percent", "pk")[:NAMED]), round):
        return False
    User.objects.filter(pk=admin.pk).update(digested_at=round.now)
    return True


def _filled(admin: User) -> QuerySet[Mailbox]:
    rows = Mailbox.objects.filter(warned_percent__gt=0, removed_at=None)
    if admin.digested_at is not None:
        rows = rows.filter(warned_at__gt=admin.digested_at)
    return rows if admin.role == User.Role.ADMIN else rows.filter(domain__grants__user=admin)


def _hand_over(admin: User, count: int, first: Sequence[Mailbox], round: SweepContext) -> bool:
    with notices.speaking(admin.language):
        subject = ngettext("%(count)d mailbox fills up", "%(count)d mailboxes fill up", count) % {"count": count}
        text = "\n".join(_lines(count, first)) + "\n"
    return admin_mail.hand_over(admin, subject, text, occasion=f"digest {admin.digested_at}", now=round.now)


def _lines(count: int, first: Sequence[Mailbox]) -> list[str]:
    told = [f"{mailbox.warned_percent:>3} %  {mailbox.user.address}" for mailbox in first]
    more = count - len(told)
    return [*told, ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}] if more else told
