"""Add, change and revoke devices, which are named credentials with their own views. `maildrop` reads the views."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailstore.directory import audit, mailbox_lookup
from mailstore.directory.audit import Actor
from mailstore.directory.fields.mailbox import DEVICE, NO_POP
from mailstore.directory.outcome import Rejected, refuse_violations
from mailstore.models import Device, Mailbox
from mailstore.policy import device_secret
from mailstore.sql import device_settlement

STARTS = DEVICE["start"].choices
RECENT = timedelta(days=30)
NAME_CHARACTERS = 60
_RACES = {
    "device_name_once_per_mailbox": gettext_lazy(
        "this mailbox already has a device with that name: choose another name, or revoke that device"
    ),
    # Two selectors of 40 bits may be equal once on a very large site; a second try draws another.
    "mailstore_device_selector_key": gettext_lazy("the new password could not be generated: try again"),
}

# The live messages that arrived before a moment, as few ranges as possible: neighbours in the list are one range.
_EARLIER = """
SELECT coalesce(range_agg(int8range(first, last + 1)), '{}')::text, coalesce(sum(messages), 0), coalesce(sum(octets), 0)
FROM (
    SELECT min(added) AS first, max(added) AS last, count(*) AS messages, sum(octets) AS octets
    FROM (
        SELECT added, octets, early,
               row_number() OVER (ORDER BY added) - row_number() OVER (PARTITION BY early ORDER BY added) AS run
        FROM (
            SELECT added, octets, arrived_at < %(before)s::timestamptz AS early
            FROM mailstore_message WHERE mailbox_id = %(mailbox)s AND removed IS NULL
        ) AS live
    ) AS numbered
    WHERE early GROUP BY run
) AS runs
"""


def add(
    address: str,
    name: str,
    *,
    actor: Actor,
    mode: str | None = None,
    start: str = "all",
    kind: str = Device.Kind.OTHER,
    may_send: bool = False,
) -> tuple[Device, str]:
    """Add a device. Returns it with its secret, which is kept nowhere else, so show it once.

    `start` is what its view begins with: "all" stored mail, mail from "now" on, or of the last "30d". The first device
    beside the main password makes the main view independent, so that the new device misses no mail.
    """
    normal = mailbox_lookup.normalized(address)
    label = _checked_name(name)
    chosen = _checked(mode or Device.Mode.INDEPENDENT, Device.Mode.values, _("mode"))
    begin = _checked(start, STARTS, _("start"))
    sort = _checked(kind, Device.Kind.values, _("kind"))
    secret = device_secret.secret_of(secrets.token_bytes(device_secret.SECRET_OCTETS))
    with transaction.atomic(), refuse_violations(_RACES):
        mailbox = mailbox_lookup.locked(normal)
        _free_main_view(mailbox)
        hidden, messages, octets = _earlier(mailbox, begin)
        device = Device.objects.create(
            mailbox=mailbox,
            name=label,
            kind=sort,
            mode=chosen,
            may_send=may_send,
            selector=secret[: device_secret.SELECTOR_CHARACTERS],
            digest=device_secret.digest(secret),
            hidden=hidden,
            skipped=hidden,
            hidden_messages=messages,
            hidden_octets=octets,
        )
        _take_change(mailbox)
        audit.record(
            actor, "device.add", normal, mailbox=mailbox, device=label, mode=chosen, start=begin, kind=sort,
            may_send=may_send,
        )  # fmt: skip
    return device, secret


def revoke(address: str, name: str, *, actor: Actor) -> Device:
    """End a device; its password no longer signs in. After the last one, the main view is primary again.

    Mail that waited for this device alone is removed, into recovery.
    """
    normal = mailbox_lookup.normalized(address)
    with transaction.atomic():
        mailbox = mailbox_lookup.locked(normal)
        device = _named(mailbox, name)
        if device.main:
            raise Rejected(_("the main password cannot be revoked: switch off POP with the main password instead"))
        device.revoked_at = timezone.now()
        device.save(update_fields=["revoked_at"])
        if not _active(mailbox).filter(main=False).exists():
            _active(mailbox).filter(main=True).update(mode=Device.Mode.PRIMARY)
        _take_change(mailbox)
        device_settlement.settle([mailbox.pk])
        audit.record(actor, "device.revoke", normal, mailbox=mailbox, device=device.name)
    return device


def set_mode(address: str, name: str, mode: str, *, actor: Actor) -> Device:
    """Choose what a device's DELE does, and whether mail waits for it. The main password can also have NO_POP.

    Open sessions obey at their QUIT. Mail that waits for no device any more is removed, into recovery. Rejected for
    another mode than primary while the main password is the only device: no device would then ever have all mail.
    """
    normal = mailbox_lookup.normalized(address)
    with transaction.atomic():
        mailbox = mailbox_lookup.locked(normal)
        device = _named(mailbox, name)
        modes = [*Device.Mode.values, NO_POP] if device.main else Device.Mode.values
        was, chosen = _mode(mailbox, device), _checked(mode, modes, _("mode"))
        if chosen == was:
            return device
        if device.main:
            _choose_main(mailbox, chosen)
        if chosen != NO_POP:
            device.mode = chosen
            device.save(update_fields=["mode"])
        device_settlement.settle([mailbox.pk])
        audit.record(actor, "device.mode", normal, mailbox=mailbox, device=device.name, mode=chosen, was=was)
    return device


def set_kind(address: str, name: str, kind: str, *, actor: Actor) -> Device:
    """Say what a device is. Only its icon depends on it. Rejected for the main password, which is no device to hold."""
    normal = mailbox_lookup.normalized(address)
    with transaction.atomic():
        mailbox = mailbox_lookup.locked(normal)
        device = _named(mailbox, name)
        if device.main:
            raise Rejected(_("the main password has no kind"))
        was, device.kind = device.kind, _checked(kind, Device.Kind.values, _("kind"))
        if device.kind != was:
            device.save(update_fields=["kind"])
            audit.record(actor, "device.kind", normal, mailbox=mailbox, device=device.name, kind=device.kind)
    return device


def set_may_send(address: str, name: str, may_send: bool, *, actor: Actor) -> Device:
    """Choose whether a device's password may send mail. Rejected for the main password: Mailbox.main_pop decides."""
    normal = mailbox_lookup.normalized(address)
    with transaction.atomic():
        mailbox = mailbox_lookup.locked(normal)
        device = _named(mailbox, name)
        if device.main:
            raise Rejected(_("the main password may send as long as mail programs may use it"))
        if device.may_send != may_send:
            device.may_send = may_send
            device.save(update_fields=["may_send"])
            audit.record(actor, "device.send", normal, mailbox=mailbox, device=device.name, may_send=may_send)
    return device


def rename(address: str, name: str, new_name: str, *, actor: Actor) -> Device:
    """Rename a device. Rejected when another device of the mailbox has the name, in any letter case."""
    normal = mailbox_lookup.normalized(address)
    label = _checked_name(new_name)
    with transaction.atomic(), refuse_violations(_RACES):
        mailbox = mailbox_lookup.locked(normal)
        device = _named(mailbox, name)
        if device.main:
            raise Rejected(_("the main password cannot be renamed"))
        if device.name == label:
            return device
        old, device.name = device.name, label
        device.save(update_fields=["name"])
        audit.record(actor, "device.rename", normal, mailbox=mailbox, device=label, was=old)
    return device


def listing(address: str) -> QuerySet[Device]:
    """Return the devices of a mailbox, the main password first, without revoked ones. Rejected for no mailbox."""
    return _active(mailbox_lookup.get(address)).select_related("mailbox").order_by("-main", "created_at", "pk")


def _active(mailbox: Mailbox) -> QuerySet[Device]:
    return Device.objects.filter(mailbox=mailbox, revoked_at=None)


def _named(mailbox: Mailbox, name: str) -> Device:
    device = _active(mailbox).filter(name__iexact=name.strip()).first()
    if device is None:
        raise Rejected(_("%(address)s has no device %(name)r") % {"address": mailbox.user.address, "name": name})
    return device


def _mode(mailbox: Mailbox, device: Device) -> str:
    return NO_POP if device.main and not mailbox.main_pop else device.mode


def _choose_main(mailbox: Mailbox, mode: str) -> None:
    alone = not _active(mailbox).filter(main=False).exists()
    if alone and mode not in (Device.Mode.PRIMARY, NO_POP):
        raise Rejected(_("the main password is the only device, so it is primary: add another device first"))
    if mailbox.main_pop != (mode != NO_POP):
        mailbox.main_pop = mode != NO_POP
        mailbox.save(update_fields=["main_pop"])


def _free_main_view(mailbox: Mailbox) -> None:
    """Make the main view independent if there is no other device yet."""
    if not _active(mailbox).filter(main=False).exists():
        _active(mailbox).filter(main=True).update(mode=Device.Mode.INDEPENDENT)


def _earlier(mailbox: Mailbox, start: str) -> tuple[str, int, int]:
    """Return what the new view hides: ranges of arrivals, and how many live messages and octets they hold."""
    if start == "all":
        return "{}", 0, 0
    before: datetime | str = "infinity" if start == "now" else timezone.now() - RECENT
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER, {"mailbox": mailbox.pk, "before": before})
        ranges, messages, octets = cursor.fetchone()
    return ranges, int(messages), int(octets)


def _take_change(mailbox: Mailbox) -> None:
    """Take the next change number. Called with the mailbox's row locked."""
    mailbox.change += 1
    mailbox.save(update_fields=["change"])


def _checked_name(name: str) -> str:
    label = " ".join(name.split())
    if not label or len(label) > NAME_CHARACTERS or not label.isprintable():
        raise Rejected(
            _("%(name)r is not a valid device name: use 1 to %(most)d characters")
            % {"name": name, "most": NAME_CHARACTERS}
        )
    return label


def _checked(value: str, allowed: list[str] | tuple[str, ...], what: str) -> str:
    if value not in allowed:
        raise Rejected(
            _("%(value)r is not a valid %(what)s: choose from %(allowed)s")
            % {"value": value, "what": what, "allowed": ", ".join(allowed)}
        )
    return value
