"""Whose turn it is: a form reads a row, holds it against what its reader saw, and saves, while nobody else can save.

Each is a context of one transaction and locks in the store's order: what leads on, domains, mailboxes. The row that it
is given is read anew behind the lock; one that is gone meanwhile stays as it was, and what is saved next says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from mailstore.directory import alias_loop
from mailstore.models import Alias, Domain, Mailbox


@contextmanager
def of_mailbox(mailbox: Mailbox) -> Iterator[None]:
    """The mailbox and its user."""
    with transaction.atomic():
        Domain.objects.select_for_update(no_key=True).filter(pk=mailbox.domain_id).first()
        rows = Mailbox.objects.select_related("user").select_for_update(of=("self", "user"), no_key=True)
        if rows.filter(pk=mailbox.pk).first() is not None:
            mailbox.refresh_from_db()
        yield


@contextmanager
def of_domain(domain: Domain) -> Iterator[None]:
    """What is set of the domain itself, and its catch-all."""
    with transaction.atomic():
        alias_loop.take_turn()
        if Domain.objects.select_for_update(no_key=True).filter(pk=domain.pk).first() is not None:
            domain.refresh_from_db()
        yield


@contextmanager
def of_alias(alias: Alias) -> Iterator[None]:
    """One that is there."""
    with of_forward():
        if Alias.objects.filter(pk=alias.pk).exists():
            alias.refresh_from_db()
        yield


@contextmanager
def of_forward() -> Iterator[None]:
    """A forward that is read behind the lock, there or not: all that leads on has one turn."""
    with transaction.atomic():
        alias_loop.take_turn()
        yield
