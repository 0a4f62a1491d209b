"""What a hosting admin may see: sizes, counts and dates of everything, the content of nothing."""

from __future__ import annotations

from django.db.models import QuerySet

from mailstore.models import Domain, Mailbox, Message, User


def is_host(user: User) -> bool:
    return user.role == User.Role.ADMIN


def domains(user: User) -> QuerySet[Domain]:
    return Domain.objects.all() if is_host(user) else Domain.objects.none()


def mailboxes(user: User) -> QuerySet[Mailbox]:
    return Mailbox.objects.select_related("user", "domain") if is_host(user) else Mailbox.objects.none()


def arrivals(user: User) -> QuerySet[Message]:
    """For counting by date and size; nothing of a message leads to its body."""
    rows = Message.objects.only("arrived_at", "octets")
    return rows if is_host(user) else rows.none()
