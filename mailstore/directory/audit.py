"""Write the audit, in the transaction of the action that it records, so that neither is kept without the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mailstore.directory import bulk_sql
from mailstore.models import AuditEntry, Domain, Mailbox, User


@dataclass(frozen=True, slots=True)
class Actor:
    """The person who acts, the way ("web", "shell" or "api"), and the IP address of the client if there is one.

    `part_of` names a larger operation, such as {"job": 12}; the entries of its rows then carry it.
    """

    name: str
    via: str
    user: User | None = None
    client: str | None = None
    part_of: Mapping[str, int] = field(default_factory=dict)

    def within(self, operation: str, key: int) -> Actor:
        """Return the same actor, within a larger operation: "job", "import" or "rename" (of a domain), and its key."""
        return replace(self, part_of={operation: key})


def record(
    actor: Actor,
    verb: str,
    subject: str,
    *,
    mailbox: Mailbox | None = None,
    within: Domain | None = None,
    **details: Any,
) -> AuditEntry:
    """Add and return one entry. `details` holds what changed, as JSON values, never a secret.

    The owner of the `mailbox` and the admins of the domain `within` (by default the mailbox's domain) can read it. So
    an entry must name nothing of another domain.
    """
    added = entry(actor, verb, subject, mailbox=mailbox, within=within, **details)
    added.save()
    return added


def entry(
    actor: Actor,
    verb: str,
    subject: str,
    *,
    mailbox: Mailbox | None = None,
    within: Domain | None = None,
    **details: Any,
) -> AuditEntry:
    """Return the entry that `record` would add, for `record_all`."""
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
        details={**details, **actor.part_of},
    )


def record_all(entries: Sequence[AuditEntry]) -> None:
    """Add many entries with one statement."""
    bulk_sql.insert(entries)
