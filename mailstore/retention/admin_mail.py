"""A mail of our own to an administrator: into the mailbox here, or else to the recovery address."""

from __future__ import annotations

import logging
from datetime import datetime
from email.utils import make_msgid
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage

from mailstore.delivery import notices
from mailstore.delivery.notices import Notice
from mailstore.models import Mailbox, User

log = logging.getLogger("popadmin.notices")


def hand_over(admin: User, subject: str, text: str, *, occasion: str, now: datetime) -> bool:
    """Send it; False where there is neither a mailbox nor a recovery address. `occasion` as in Notice."""
    own = Mailbox.objects.filter(user=admin, removed_at=None).first()
    if own is not None:
        return bool(notices.deliver([Notice(own.pk, admin.address, admin.language, subject, text, occasion)], now=now))
    if admin.recovery_address:
        _mail(admin.recovery_address, subject, text)
    return bool(admin.recovery_address)


def _mail(address: str, subject: str, text: str) -> None:
    """Tried once: a mail server that is away would be asked each minute, and the panel has the list."""
    # Django's own Message-ID would ask the resolver for this machine's name.
    headers = {"Auto-Submitted": "auto-generated", "Message-ID": make_msgid(domain=settings.PUBLIC_HOSTNAME)}
    try:
        EmailMessage(subject, text, to=[address], headers=headers).send()
    except (OSError, SMTPException) as error:
        log.warning("a mail to %s could not be sent: %s", address, error)
