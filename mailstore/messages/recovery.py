"""Recovery: what users remove into it, list, restore and purge. What the sweep does with it is in `retention`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mailstore.delivery.message_writer import fresh_id
from mailstore.directory import audit, mailbox_lookup, message_purge
from mailstore.directory.audit import Actor
from mailstore.directory.outcome import Rejected
from mailstore.messages import message_summary
from mailstore.models import Device, Mailbox, Message
from mailstore.sql.django_statement import DjangoStatement
from mailstore.sql.statements.removal import RESTORE, TAKE_OUT


@dataclass(frozen=True, slots=True)
class Choice:
    """Which messages in recovery: those that match all conditions given; of these, the `newest` that left last.

    `words` are searched for in subject and sender. For owners only: no admin may learn what a message is about.
    """

    keys: Sequence[int] | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    newest: int | None = None


ALL = Choice()


@dataclass(frozen=True, slots=True)
class Restored:
    """How much came back, and whether the mailbox is above its quota now."""

    messages: int
    octets: int
    above_quota: bool


@dataclass(frozen=True, slots=True)
class Purged:
    messages: int
    octets: int


def resting(mailbox: Mailbox, choice: Choice = ALL) -> QuerySet[Message]:
    """Return the messages in recovery that match the choice. The one that left last comes first."""
    rows = Message.objects.filter(mailbox=mailbox, removed__isnull=False)
    if choice.keys is not None:
        rows = rows.filter(pk__in=choice.keys)
    if choice.since is not None:
        rows = rows.filter(removed_at__gte=choice.since)
    if choice.until is not None:
        rows = rows.filter(removed_at__lt=choice.until)
    if choice.words:
        rows = rows.filter(message_summary.matching(choice.words))
    rows = rows.order_by("-removed", "-pk")
    return rows if choice.newest is None else rows[: choice.newest]


def remove(address: str, messages: Sequence[int], *, actor: Actor) -> int:
    """Move live messages, by their primary keys, into recovery, for all devices; return how many.

    Rejected if none of them is live any more.
    """
    with transaction.atomic():
        mailbox = mailbox_lookup.locked(mailbox_lookup.normalized(address))
        count, octets = _execute(TAKE_OUT, {"mailbox": mailbox.pk, "messages": list(messages)})
        if not count:
            raise Rejected(_("the message is not in the mailbox any more"))
        _record(actor, "recovery.remove", mailbox, messages=count, octets=octets)
    return count


def restore(
    address: str, choice: Choice, *, actor: Actor, devices: Collection[str] | None = None, new_uidls: bool = False
) -> Restored:
    """Put messages back into the live maildrop, for all devices, or for the named ones alone.

    They keep their UIDLs, so a mail program that remembers them does not fetch them again. With `new_uidls` every
    program fetches them once more. The quota does not prevent a restore, since it is the owner's own mail; but above
    the quota new mail is refused, and the result says so. Rejected if no chosen message is in recovery, or if there is
    no such device.
    """
    with transaction.atomic():
        mailbox = mailbox_lookup.locked(mailbox_lookup.normalized(address))
        keys = _chosen(mailbox, choice)
        named = {} if devices is None else {"devices": sorted(devices)}
        messages, octets = _execute(
            RESTORE,
            {
                "mailbox": mailbox.pk,
                "messages": keys,
                "devices": None if devices is None else _keys(mailbox, devices),
                "new_uidl": new_uidls,
                "uidls": [fresh_id() for _key in keys],
            },
        )
        _record(actor, "recovery.restore", mailbox, messages=messages, octets=octets, again=new_uidls, **named)
        mailbox.refresh_from_db(fields=["messages", "octets", "change", "recovery_messages", "recovery_octets"])
    return Restored(messages, octets, mailbox_lookup.above_quota(mailbox))


def purge_now(address: str, choice: Choice, *, actor: Actor) -> Purged:
    """Destroy messages in recovery before their time: the rows at once, their bodies by a sweep a day later.

    Rejected if the mailbox is on hold, or if no chosen message is in recovery.
    """
    with transaction.atomic():
        mailbox = mailbox_lookup.locked(mailbox_lookup.normalized(address))
        if mailbox.held:
            raise Rejected(_("%(address)s is on hold: lift the hold first") % {"address": mailbox})
        keys = _chosen(mailbox, choice)
        before = mailbox.recovery_octets
        messages = message_purge.messages(keys)
        mailbox.refresh_from_db(fields=["recovery_messages", "recovery_octets"])
        octets = before - mailbox.recovery_octets
        _record(actor, "recovery.purge", mailbox, messages=messages, octets=octets)
    return Purged(messages, octets)


def _chosen(mailbox: Mailbox, choice: Choice) -> list[int]:
    """Return the keys of the chosen messages. The mailbox is locked, so they stay until this transaction ends."""
    keys = list(resting(mailbox, choice).values_list("pk", flat=True))
    if not keys:
        raise Rejected(_("none of the selected messages is in recovery any more"))
    return keys


def _keys(mailbox: Mailbox, names: Collection[str]) -> list[int]:
    """Return the keys of the devices with these names. Rejected if there is none: no device would see the mail."""
    found = dict(Device.objects.filter(mailbox=mailbox, revoked_at=None).values_list("name", "pk"))
    missing = sorted(set(names) - set(found))
    if missing:
        raise Rejected(_("%(address)s has no device %(name)r") % {"address": mailbox, "name": missing[0]})
    if not names:
        raise Rejected(_("choose at least one device"))
    return [found[name] for name in names]


def _execute(statement: DjangoStatement, parameters: dict[str, Any]) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, parameters)
        messages, octets = cursor.fetchone()
    return messages, octets


def _record(actor: Actor, verb: str, mailbox: Mailbox, **details: Any) -> None:
    audit.record(actor, verb, mailbox.user.address, mailbox=mailbox, **details)
