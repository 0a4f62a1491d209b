"""Mail for tests of the owner's pages: real bodies in the site's store, live and removed, and sessions of the diary."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

from django.utils import timezone

from mailstore.messages import message_file
from mailstore.models import Body, Device, DiarySession, Mailbox, Message
from tests.site.rows import a_message

_clients = itertools.count(20)


def a_letter(
    mailbox: Mailbox,
    subject: str,
    sender: str = "Bob <bob@example.com>",
    *,
    removed_at: datetime | None = None,
    arrived_at: datetime | None = None,
    text: str = "Hello.",
) -> Message:
    """Store a message with this header and text in `mailbox`; in recovery if `removed_at` is given."""
    store = message_file.site_store()
    store.prepare()
    draft = store.begin()
    wire = f"From: {sender}\r\nSubject: {subject}\r\n\r\n{text}\r\n".encode()
    draft.write(wire)
    ref = draft.commit(len(wire))
    body = Body.objects.create(key=ref.key, wire_octets=ref.wire_octets, octets=ref.octets, digest=ref.digest)
    return a_message(mailbox, octets=ref.octets, body=body, removed_at=removed_at, arrived_at=arrived_at)


def a_device(mailbox: Mailbox, name: str, **fields: object) -> Device:
    return Device.objects.create(mailbox=mailbox, name=name, selector=name[:16], digest=b"d", **fields)


def a_session(
    device: Device | None, *, ago: timedelta, fetched: str = "{}", deleted: str = "{}", **fields: object
) -> DiarySession:
    """Write a session of one minute into the diary."""
    at = timezone.now() - ago
    mode = device.mode if device and fields.get("removed_messages") else ""
    values = {
        "device_mode": mode,
        "ended": "quit",
        "tls": "TLSv1.3",
        "client": f"192.0.2.{next(_clients) % 200}",
        **fields,
    }
    mailbox = device.mailbox if device else values.pop("mailbox")
    return DiarySession.objects.create(
        mailbox=mailbox,
        device=device,
        started_at=at,
        ended_at=at + timedelta(minutes=1),
        fetched=fetched,
        deleted=deleted,
        **values,
    )
