"""Rows as JSON: what `--json` of a command prints, one function a noun. The keys and their order stay.

The fields of the tables in `fields` come by themselves; the rest are figures and times that nobody sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, Model, QuerySet
from django.utils import timezone

from mailstore.directory import domain_usage
from mailstore.directory.fields.domain import ALIAS, DOMAIN
from mailstore.directory.fields.field import Surface, Table
from mailstore.directory.fields.mailbox import DEVICE, MAILBOX
from mailstore.directory.fields.policy import POLICY
from mailstore.directory.removal_state import kept_until
from mailstore.models import Alias, Device, Domain, Mailbox, RetentionPolicy
from mailstore.policy.addresses import shown_domain, shown_name
from mailstore.policy.quota import format_octets

Json = dict[str, Any]


def domains(rows: QuerySet[Domain]) -> Iterator[Json]:
    """Yield the JSON of each domain, with the counts of its mailboxes, aliases and mail."""
    counted = domain_usage.counted(rows).annotate(catch_all=domain_usage.catch_all())
    for row in counted.select_related("stands_for", "policy").iterator():
        yield {
            "name": row.name,
            "readable": shown_domain(row.name),
            **{name: getattr(row, name) for name in ("mailboxes", "aliases", "messages", "octets")},
            **_values(row, DOMAIN),
            "catch_all": row.catch_all,
            **_removal(row.removed_at, row.removed_by),
        }


def mailboxes(rows: QuerySet[Mailbox]) -> Iterator[Json]:
    """Yield the JSON of each mailbox."""
    for box in rows.select_related("user", "domain", "policy").iterator():
        yield {
            "address": box.user.address,
            "readable": shown_name(box.user.address),
            "name": box.user.name,
            "domain": box.domain.name,
            "messages": box.messages,
            "octets": box.octets,
            "quota": format_octets(box.quota_octets),
            **_values(box, MAILBOX),
            "created_at": box.created_at.isoformat(),
            **_removal(box.removed_at, box.removed_by),
        }


def alias(row: Alias) -> Json:
    """Return the JSON of an alias, without what the MTA must expand."""
    return {
        "address": row.address,
        "readable": shown_name(row.address),
        **_values(row, ALIAS),
        "forward": row.mailbox_id is not None,
        "expired": row.expires_at is not None and row.expires_at <= timezone.now(),
    }


def device(row: Device) -> Json:
    """Return the JSON of a device, without its password."""
    return {
        **_values(row, DEVICE),
        "may_send": row.mailbox.main_pop if row.main else row.may_send,
        "main": row.main,
        "hidden_messages": row.hidden_messages,
        "last_sign_in_at": row.last_sign_in_at and row.last_sign_in_at.isoformat(),
        "last_client": row.last_client,
        "created_at": row.created_at.isoformat(),
    }


def policies(rows: QuerySet[RetentionPolicy]) -> Iterator[Json]:
    """Yield the JSON of each policy, with how many domains and mailboxes have chosen it."""
    used = rows.annotate(domains=Count("domain", distinct=True), mailboxes=Count("mailbox", distinct=True))
    for policy in used:
        use = {"domains": policy.domains, "mailboxes": policy.mailboxes}
        yield {"name": policy.name, **_values(policy, POLICY), **use, "saved_at": policy.saved_at.isoformat()}


def removed_messages(rows: Iterable[Any]) -> Iterator[Json]:
    """Yield the JSON of each message in recovery. `by` of a row is the name of the device that removed it."""
    for row in rows:
        yield {
            "uidl": row.uidl,
            "removed_at": row.removed_at and row.removed_at.isoformat(),
            "why": row.removed_why,
            "by": row.by,
            "octets": row.octets,
            "arrived_at": row.arrived_at.isoformat(),
        }


def _values(row: Model, table: Table) -> Json:
    """Return the fields of a row, by their keys."""
    return {field.json_key: field.json_value(row) for field in table.on(Surface.JSON)}


def _removal(removed_at: datetime | None, removed_by: str) -> dict[str, str | None]:
    """Return the keys of a removal. All are null if the row is not removed."""
    if removed_at is None:
        return {"removed_at": None, "removed_by": None, "kept_until": None}
    return {
        "removed_at": removed_at.isoformat(),
        "removed_by": removed_by,
        "kept_until": kept_until(removed_at).isoformat(),
    }
