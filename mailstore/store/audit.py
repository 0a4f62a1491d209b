"""Writes the audit; called inside the transaction of the action it records: neither stands without the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailstore.models import AuditEntry, Mailbox, User
from mailstore.store import columns


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, by which way ("web", "shell" or "api"), and from which IP address if by the network."""

    name: str
    via: str
    user: User | None = None
    client: str | None = None


def record(actor: Actor, verb: str, subject: str, *, mailbox: Mailbox | None = None, **details: Any) -> None:
    """Add one entry. `details` holds what changed, as JSON values, never a secret."""
    entry(actor, verb, subject, mailbox=mailbox, **details).save()


def entry(actor: Actor, verb: str, subject: str, *, mailbox: Mailbox | None = None, **details: Any) -> AuditEntry:
    """The entry that `record` adds, for `record_all`."""
    return AuditEntry(
        actor=actor.user,
        actor_name=actor.name,
        via=actor.via,
        client=actor.client,
        verb=verb,
        subject=subject,
        mailbox=mailbox,
        details=details,
    )


def record_all(entries: Sequence[AuditEntry]) -> None:
    """Add what many rows are told by, in one statement."""
    columns.insert(entries)
