"""Mail of our own into maildrops: from the null sender, past any quota, so that it neither bounces nor is refused."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from mailstore import bodies, conf
from mailstore.delivery import one_off
from mailstore.delivery.delivery import StoredDelivery
from mailstore.delivery.message_writer import Placement, Refusing, fresh_id
from mailstore.errors import MailError
from mailstore.ports import BodyRef, BodyStore, Envelope
from mailstore.wire.body_normalizer import RawNormalizer

log = logging.getLogger("popadmin.notices")

_ENVELOPE = Envelope(sender="", client_name="localhost", client="unix", encrypted=False, protocol="local")


@dataclass(frozen=True, slots=True)
class Notice:
    """One mail to the owner of a mailbox, written in `language` (see `speaking`).

    `occasion` is what it is about, as no other notice to this mailbox is: of one occasion it is told once, however
    often a kill came before that was noted.
    """

    mailbox: int
    address: str
    language: str
    subject: str
    text: str
    occasion: str


def speaking(language: str) -> translation.override:
    """Within it texts come in the language of a person, or the site's where he has chosen none."""
    return translation.override(language or settings.LANGUAGE_CODE)


def deliver(notices: Sequence[Notice], *, now: datetime) -> list[Notice]:
    """Deliver by the path of all mail; returns those that are durable, now or before. What failed is logged."""
    return asyncio.run(_deliver(notices, now)) if notices else []


async def _deliver(notices: Sequence[Notice], now: datetime) -> list[Notice]:
    loaded = conf.load()
    store = bodies.from_url(loaded.mail_store_url)
    delivered = []
    async with one_off.delivery(loaded) as delivery:
        for notice in notices:
            error = await _one(delivery, store, notice, _written(notice, loaded.lmtp.hostname, now))
            if error is None:
                delivered.append(notice)
            else:
                log.error("a notice to %s: %s", notice.address, error)
    return delivered


async def _one(delivery: StoredDelivery, store: BodyStore, notice: Notice, octets: bytes) -> MailError | None:
    queue_id = fresh_id()
    try:
        draft, door = store.begin(), RawNormalizer()
        draft.write(door.feed(octets) + door.finish())
    except MailError as error:
        return error
    ref: BodyRef | MailError = await one_off.answer(lambda done: delivery.store(draft, door.octets, done))
    if isinstance(ref, MailError):
        return ref
    prefix = delivery.trace(_ENVELOPE, notice.address, queue_id)
    source = hashlib.blake2b(f"notice {notice.occasion}".encode(), digest_size=16).digest()
    placement = Placement((notice.mailbox,), ref, prefix, uidl=queue_id, unlimited=True, source=source)
    refused: MailError | None = await one_off.answer(lambda done: delivery.place(placement, done))
    if isinstance(refused, Refusing):  # it is there already, or the mailbox is gone
        delivery.discard(ref)
        return None
    return refused  # whether it was placed may not be known, so its body stays


def _written(notice: Notice, hostname: str, now: datetime) -> bytes:
    message = EmailMessage(policy=SMTP)
    with speaking(notice.language):
        message["From"] = formataddr((_("Mail server"), f"postmaster@{hostname}"))
    message["To"] = notice.address
    message["Subject"] = notice.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{fresh_id()}@{hostname}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: nobody answers it by itself
    message.set_content(notice.text)
    return message.as_bytes()
