"""What a mailbox owner may see: his own mailbox and its devices, nothing else."""

from __future__ import annotations

from django.db.models import F, QuerySet

from mailstore.models import AuditEntry, Device, Mailbox, User


def has_mailbox(user: User) -> bool:
    return getattr(user, "mailbox", None) is not None


def mailboxes(user: User) -> QuerySet[Mailbox]:
    return Mailbox.objects.filter(user=user).select_related("domain")


def devices(user: User) -> QuerySet[Device]:
    """Those that can still sign in; the main password first, then the latest seen."""
    rows = all_devices(user).filter(revoked_at=None)
    return rows.order_by("-main", F("last_sign_in_at").desc(nulls_last=True), "name")


def all_devices(user: User) -> QuerySet[Device]:
    """Revoked ones too: an old page leads to them."""
    rows = Device.objects.filter(mailbox__user=user).select_related("mailbox__user")
    return rows.defer("hidden", "skipped", "confirmed")


def entries(mailbox: Mailbox, but: User | None) -> QuerySet[AuditEntry]:
    """What was changed of this mailbox, the newest first; without what `but` has done himself."""
    rows = AuditEntry.objects.filter(mailbox=mailbox).order_by("-at", "-pk")
    return rows if but is None else rows.exclude(actor=but)
