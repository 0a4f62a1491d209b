"""Locks for forms: a form reads a row, compares it with what its reader saw, and saves, while nobody else can save.

Each context is one transaction. All lock in the same order: aliases, domains, mailboxes. The given row is read again
behind the lock. A row that somebody has deleted stays as it was read. The action that saves it refuses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import transaction

from mailstore.directory import alias_loop, domains
from mailstore.models import Alias, Domain, Mailbox, User


@contextmanager
def of_mailbox(mailbox: Mailbox) -> Iterator[None]:
    """Lock a mailbox and its user."""
    with transaction.atomic():
        Domain.objects.select_for_update(no_key=True).filter(pk=mailbox.domain_id).first()
        rows = Mailbox.objects.select_related("user").select_for_update(of=("self", "user"), no_key=True)
        if rows.filter(pk=mailbox.pk).first() is not None:
            mailbox.refresh_from_db()
        yield


def lock_mailboxes(keys: Collection[int]) -> dict[int, Mailbox]:
    """Lock mailboxes and their users, in the caller's transaction, and return those that exist, by key."""
    names = Mailbox.objects.filter(pk__in=keys).values_list("domain__name", flat=True)
    domains.locked_all(set(names))
    rows = Mailbox.objects.select_related("user", "domain", "policy").filter(pk__in=keys)
    rows = rows.select_for_update(of=("self", "user"), no_key=True).order_by("pk")
    return {row.pk: row for row in rows}


@contextmanager
def of_domain(domain: Domain) -> Iterator[None]:
    """Lock a domain and its catch-all."""
    with transaction.atomic():
        alias_loop.lock()
        if Domain.objects.select_for_update(no_key=True).filter(pk=domain.pk).first() is not None:
            domain.refresh_from_db()
        yield


@contextmanager
def of_alias(alias: Alias) -> Iterator[None]:
    """Lock an alias."""
    with of_forward():
        if Alias.objects.filter(pk=alias.pk).exists():
            alias.refresh_from_db()
        yield


@contextmanager
def of_forward() -> Iterator[None]:
    """Lock all aliases, for a forward that may not be there yet."""
    with transaction.atomic():
        alias_loop.lock()
        yield


@contextmanager
def of_admin(admin: User) -> Iterator[None]:
    """Lock an administrator, in the order of `admin_suspension`: all hosting admins first."""
    with transaction.atomic():
        list(User.objects.filter(role=User.Role.ADMIN).order_by("pk").select_for_update().values_list("pk"))
        if User.objects.select_for_update().filter(pk=admin.pk).first() is not None:
            admin.refresh_from_db()
        yield
