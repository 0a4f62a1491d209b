"""Notices: mail from the server to its users. It has the null sender and ignores quotas, so it cannot bounce."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid
from smtplib import SMTPException

from django.conf import settings
from django.core import mail
from django.utils import translation
from django.utils.translation import gettext as _

from mailstore import bodies, conf
from mailstore.delivery import one_off
from mailstore.delivery.delivery import StoredDelivery
from mailstore.delivery.message_writer import Placement, PlacementRefused, fresh_id
from mailstore.errors import MailError
from mailstore.models import Mailbox, User
from mailstore.ports import Answer, BodyRef, BodyStore, Delivered, Envelope
from mailstore.wire import message_marks
from mailstore.wire.body_normalizer import RawNormalizer

log = logging.getLogger("popadmin.notices")

_ENVELOPE = Envelope(sender="", client_name="localhost", client="unix", encrypted=False, protocol="local")


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail to the user of a mailbox, written in `language` (see `in_language`).

    `occasion` identifies what the notice is about. A mailbox gets one notice for an occasion, even if the process was
    killed before it noted that it sent the first.
    """

    mailbox: int
    address: str
    language: str
    subject: str
    text: str
    occasion: str


def in_language(language: str) -> translation.override:
    """Return a context that translates texts into this language, or into the site's if it is empty."""
    return translation.override(language or settings.LANGUAGE_CODE)


def deliver(notices: Sequence[Notice], *, now: datetime) -> list[Notice]:
    """Deliver notices the way of all mail; return those that are durable now, or were before. Log the failures."""
    return asyncio.run(_deliver(notices, now)) if notices else []


def deliver_to_admin(admin: User, subject: str, text: str, *, occasion: str, now: datetime) -> bool:
    """Deliver a notice to an administrator: to the mailbox here, else to the recovery address.

    Returns False where there is neither, or the delivery to the mailbox failed. `occasion` is as in Notice.
    """
    own = Mailbox.objects.filter(user=admin, removed_at=None).first()
    if own is not None:
        return bool(deliver([Notice(own.pk, admin.address, admin.language, subject, text, occasion)], now=now))
    if admin.recovery_address:
        _send(admin.recovery_address, subject, text)
    return bool(admin.recovery_address)


def send_to_recovery_address(address: str, notice: Notice) -> None:
    """Send a notice for which the mailbox has no room to the owner's recovery address, if there is one."""
    if address:
        with in_language(notice.language):
            _send(address, notice.subject, notice.text)


def _send(address: str, subject: str, text: str) -> None:
    """Send a mail by SMTP, and try once: a mail server that is away would be asked each minute."""
    # Django's own Message-ID would ask the resolver for this machine's name.
    headers = {"Auto-Submitted": "auto-generated", "Message-ID": make_msgid(domain=settings.PUBLIC_HOSTNAME)}
    try:
        mail.EmailMessage(subject, text, to=[address], headers=headers).send()
    except (OSError, SMTPException) as error:
        log.warning("a mail to %s could not be sent: %s", address, error)


async def _deliver(notices: Sequence[Notice], now: datetime) -> list[Notice]:
    loaded = conf.load()
    store = bodies.site_store()
    delivered = []
    async with one_off.delivery(loaded) as delivery:
        for notice in notices:
            data = _written(notice, loaded.lmtp.hostname, now)
            error = await _one(delivery, store, notice, data)
            if error is None:
                delivered.append(notice)
            else:
                log.error("a notice to %s: %s", notice.address, error)
    return delivered


async def _one(delivery: StoredDelivery, store: BodyStore, notice: Notice, data: bytes) -> MailError | None:
    queue_id = fresh_id()
    try:
        draft, normalizer = store.begin(), RawNormalizer()
        draft.write(normalizer.feed(data) + normalizer.finish())
    except MailError as error:
        return error
    ref: BodyRef | MailError = await one_off.answer(lambda done: delivery.store(draft, normalizer.octets, done))
    if isinstance(ref, MailError):
        return ref
    prefix = delivery.trace(_ENVELOPE, notice.address, queue_id)
    source = hashlib.blake2b(f"notice {notice.occasion}".encode(), digest_size=16).digest()
    placement = Placement((notice.mailbox,), ref, prefix, uidl=queue_id, unlimited=True, source=source)
    refused: MailError | None = await one_off.answer(lambda done: delivery.place(placement, done))
    if isinstance(refused, PlacementRefused):  # the mailbox has it already, or does not exist any more
        delivery.discard(ref)
        return None
    outcome = refused or Delivered(queue_id, ((notice.mailbox, queue_id),))
    marks = message_marks.marks(data)
    delivery.answers.answered(Answer("notice", "", "", notice.address, outcome, "", None, ref.octets, (), marks))
    return refused  # after an error it may have been placed, so the body stays


def _written(notice: Notice, hostname: str, now: datetime) -> bytes:
    message = EmailMessage(policy=SMTP)
    with in_language(notice.language):
        message["From"] = formataddr((_("Mail server"), f"postmaster@{hostname}"))
    message["To"] = notice.address
    message["Subject"] = notice.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{fresh_id()}@{hostname}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no program answers it
    message.set_content(notice.text)
    return message.as_bytes()
