"""Rows for tests: a domain, a mailbox, messages as a delivery leaves them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime
from threading import Barrier, Thread

from django.db import connection
from django.utils import timezone

from mailstore.directory import domains, mailboxes
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.models import Body, Mailbox, Message

ACTOR = Actor("tester", "shell")
PASSWORD = "correct horse battery staple"
_serial = itertools.count(1)


def a_domain(name: str = "example.org", **fields: object) -> str:
    domains.ensure(name, actor=ACTOR, **fields)
    return name


def a_mailbox(address: str = "ann@example.org") -> Mailbox:
    a_domain(address.rpartition("@")[2])
    return mailboxes.ensure(address, actor=ACTOR, password=PASSWORD).row


def a_body(octets: int = 100) -> Body:
    return Body.objects.create(key=f"body-{next(_serial)}", wire_octets=octets, octets=octets, digest=bytes(16))


def a_message(
    mailbox: Mailbox,
    *,
    octets: int = 100,
    arrived_at: datetime | None = None,
    body: Body | None = None,
    removed_at: datetime | None = None,
) -> Message:
    """Add a message, and remove it again when `removed_at` is given, with the counters as the store keeps them."""
    mailbox.refresh_from_db()
    mailbox.change += 1
    message = Message(
        mailbox=mailbox,
        body=body or a_body(octets),
        uidl=f"uidl-{next(_serial)}",
        prefix=b"",
        octets=octets,
        arrived_at=arrived_at or timezone.now(),
        added=mailbox.change,
    )
    if removed_at is None:
        mailbox.messages += 1
        mailbox.octets += octets
    else:
        mailbox.change += 1
        message.removed, message.removed_at, message.removed_why = mailbox.change, removed_at, Message.Why.DELE
        mailbox.recovery_messages += 1
        mailbox.recovery_octets += octets
    message.save()
    mailbox.save()
    return message


def at_once(*actions: Callable[[], object]) -> list[object]:
    """Run the acts at the same time, each in a thread with a connection of its own; a Rejected is its act's result."""
    start = Barrier(len(actions))
    results: list[object] = [None] * len(actions)

    def run(index: int) -> None:
        start.wait(10)
        try:
            results[index] = actions[index]()
        except Rejected as refusal:
            results[index] = refusal
        finally:
            connection.close()

    threads = [Thread(target=run, args=(index,)) for index in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results
