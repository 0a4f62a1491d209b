"""What a hosting admin may see: sizes, counts and dates of everything, the content of nothing."""

from __future__ import annotations

from django.db.models import QuerySet

from mailstore.models import Domain, Mailbox, Message, User


def is_host(user: User) -> bool:
    return user.role == User.Role.ADMIN


def domains(user: User) -> QuerySet[Domain]:
    return Domain.objects.filter(removed_at=None) if is_host(user) else Domain.objects.none()


def mailboxes(user: User) -> QuerySet[Mailbox]:
    rows = Mailbox.objects.filter(removed_at=None).select_related("user", "domain")
    return rows if is_host(user) else rows.none()


def arrivals(user: User) -> QuerySet[Message]:
    """For counting by date and size; nothing of a message leads to its body."""
    rows = Message.objects.only("arrived_at", "octets")
    return rows if is_host(user) else rows.none()
