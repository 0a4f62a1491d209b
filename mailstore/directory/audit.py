"""Writes the audit; called inside the transaction of the action it records: neither stands without the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailstore.directory import bulk_sql
from mailstore.models import AuditEntry, Domain, Mailbox, User


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, by which way ("web", "shell" or "api"), and from which IP address if by the network."""

    name: str
    via: str
    user: User | None = None
    client: str | None = None


def record(
    actor: Actor,
    verb: str,
    subject: str,
    *,
    mailbox: Mailbox | None = None,
    within: Domain | None = None,
    **details: Any,
) -> None:
    """Add one entry. `details` holds what changed, as JSON values, never a secret.

    The owner of the `mailbox` reads it, and who administers the domain that it is `within`: the mailbox's where none
    is given. So an entry names nothing of another domain.
    """
    entry(actor, verb, subject, mailbox=mailbox, within=within, **details).save()


def entry(
    actor: Actor,
    verb: str,
    subject: str,
    *,
    mailbox: Mailbox | None = None,
    within: Domain | None = None,
    **details: Any,
) -> AuditEntry:
    """The entry that `record` adds, for `record_all`."""
    of_mailbox = None if mailbox is None else mailbox.domain_id
    return AuditEntry(
        actor=actor.user,
        actor_name=actor.name,
        via=actor.via,
        client=actor.client,
        verb=verb,
        subject=subject,
        mailbox=mailbox,
        domain_id=of_mailbox if within is None else within.pk,
        details=details,
    )


def record_all(entries: Sequence[AuditEntry]) -> None:
    """Add what many rows are told by, in one statement."""
    bulk_sql.insert(entries)
