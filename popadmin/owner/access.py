"""What the owner of a mailbox may see: that mailbox with its devices, messages and diary, and nothing else."""

from __future__ import annotations

from django.db.models import F, QuerySet

from mailstore.models import (
    AuditEntry,
    Device,
    DiarySession,
    Finding,
    Mailbox,
    Message,
    RefusedName,
    TraceEntry,
    User,
)


def mailboxes(user: User) -> QuerySet[Mailbox]:
    return Mailbox.objects.filter(user=user).select_related("user", "policy", "domain__policy")


def devices(user: User) -> QuerySet[Device]:
    """Return the devices that can still sign in: the most recently seen first, the main password last."""
    rows = all_devices(user).filter(revoked_at=None)
    return rows.order_by("main", F("last_sign_in_at").desc(nulls_last=True), "name")


def all_devices(user: User) -> QuerySet[Device]:
    """Return all devices, also revoked ones, because old pages have links to them."""
    rows = Device.objects.filter(mailbox__user=user).select_related("mailbox__user")
    return rows.defer("hidden", "skipped", "confirmed")


def audit_entries(mailbox: Mailbox, except_by: User | None) -> QuerySet[AuditEntry]:
    """Return the changes of this mailbox, newest first, without those that `except_by` made."""
    rows = AuditEntry.objects.filter(mailbox=mailbox).order_by("-at", "-pk")
    return rows if except_by is None else rows.exclude(actor=except_by)


def domain_admins(mailbox: Mailbox) -> QuerySet[User]:
    """Return who administers the domain of the owner's mailbox, to ask them. Hosting admins have no grant."""
    return User.objects.filter(grants__domain=mailbox.domain_id, is_active=True).order_by("address")


def live_messages(user: User) -> QuerySet[Message]:
    return messages(user).filter(removed__isnull=True)


def removed_messages(user: User) -> QuerySet[Message]:
    """Return the messages in recovery."""
    return messages(user).filter(removed__isnull=False)


def diary(user: User) -> QuerySet[DiarySession]:
    return DiarySession.objects.filter(mailbox__user=user)


def refused_in_network(network: str) -> QuerySet[RefusedName]:
    """Return what was refused in the network of an owner's browser. Others may be there: pages show no foreign name.

    Limits of one account are left out: the diary of its mailbox tells them.
    """
    return RefusedName.objects.filter(network=network).exclude(reason=RefusedName.Reason.ACCOUNT)


def trace(user: User) -> QuerySet[TraceEntry]:
    """Return what senders were answered for this mailbox, by whatever address."""
    return TraceEntry.objects.filter(mailbox__user=user)


def findings(user: User) -> QuerySet[Finding]:
    rows = Finding.objects.filter(mailbox__user=user).select_related("device").order_by("-since", "pk")
    return rows.defer(*(f"device__{view}" for view in ("hidden", "skipped", "confirmed")))


def messages(user: User) -> QuerySet[Message]:
    """Return live and removed messages without their long columns: delivery headers, and the device's view."""
    rows = Message.objects.filter(mailbox__user=user).select_related("body", "removed_by", "mailbox")
    return rows.defer("prefix", *(f"removed_by__{view}" for view in ("hidden", "skipped", "confirmed")))
