"""Mail of our own to administrators, into the mailbox here or to the recovery address; and their daily digest."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import make_msgid
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from mailstore.delivery import notices
from mailstore.delivery.notices import Notice
from mailstore.models import Mailbox, User
from mailstore.sql.sweep_step import SweepContext

PAUSE = timedelta(days=1)  # between two digests to one administrator
NAMED = 50  # the others are only counted: the panel lists them all

log = logging.getLogger("popadmin.notices")


def hand_over(admin: User, subject: str, text: str, *, occasion: str, now: datetime) -> bool:
    """Send a mail; False where there is neither a mailbox nor a recovery address. `occasion` is as in Notice."""
    own = Mailbox.objects.filter(user=admin, removed_at=None).first()
    if own is not None:
        return bool(notices.deliver([Notice(own.pk, admin.address, admin.language, subject, text, occasion)], now=now))
    if admin.recovery_address:
        _mail(admin.recovery_address, subject, text)
    return bool(admin.recovery_address)


def _mail(address: str, subject: str, text: str) -> None:
    """Try once: a mail server that is away would be asked each minute, and the panel has the list."""
    # Django's own Message-ID would ask the resolver for this machine's name.
    headers = {"Auto-Submitted": "auto-generated", "Message-ID": make_msgid(domain=settings.PUBLIC_HOSTNAME)}
    try:
        EmailMessage(subject, text, to=[address], headers=headers).send()
    except (OSError, SMTPException) as error:
        log.warning("a mail to %s could not be sent: %s", address, error)


def send_digests(context: SweepContext) -> int:
    """Tell administrators which mailboxes filled up since the last digest, once a day at most; returns to how many."""
    admins = User.objects.filter(Q(role=User.Role.ADMIN) | Q(grants__isnull=False), is_active=True).distinct()
    due = admins.filter(Q(digested_at=None) | Q(digested_at__lte=context.now - PAUSE))
    return sum(_send_to(admin, context) for admin in due.order_by("pk"))


def _send_to(admin: User, context: SweepContext) -> bool:
    filled = _filled(admin).select_related("user")
    count = filled.count()
    if not count or not _send_list(admin, count, list(filled.order_by("-warned_percent", "pk")[:NAMED]), context):
        return False
    User.objects.filter(pk=admin.pk).update(digested_at=context.now)
    return True


def _filled(admin: User) -> QuerySet[Mailbox]:
    rows = Mailbox.objects.filter(warned_percent__gt=0, removed_at=None)
    if admin.digested_at is not None:
        rows = rows.filter(warned_at__gt=admin.digested_at)
    return rows if admin.role == User.Role.ADMIN else rows.filter(domain__grants__user=admin)


def _send_list(admin: User, count: int, first: Sequence[Mailbox], context: SweepContext) -> bool:
    with notices.speaking(admin.language):
        subject = ngettext("%(count)d mailbox is filling up", "%(count)d mailboxes are filling up", count) % {
            "count": count
        }
        text = "\n".join(_lines(count, first)) + "\n"
    return hand_over(admin, subject, text, occasion=f"digest {admin.digested_at}", now=context.now)


def _lines(count: int, first: Sequence[Mailbox]) -> list[str]:
    lines = [f"{mailbox.warned_percent:>3} %  {mailbox.user.address}" for mailbox in first]
    more = count - len(lines)
    return [*lines, ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}] if more else lines
