"""Conditions on aliases by their targets: those that lead to nobody, and those that lead outside. For lists and counts.

They read many aliases at once; `alias_targets` names the targets of a few.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

# Of each target its local part and the domain in which it is looked up, if that is one of ours (`here`).
_TARGETS = """
    unnest(mailstore_alias.targets) AS target (address)
    CROSS JOIN LATERAL (SELECT substring(target.address FROM '^(.*)@') AS local_part,
                               substring(target.address FROM '@([^@]*)$') AS domain) AS part
    LEFT JOIN LATERAL (SELECT coalesce(dom_other.name, dom.name) AS name
                         FROM mailstore_domain dom
                         LEFT JOIN mailstore_domain dom_other
                                ON dom_other.id = dom.stands_for_id AND dom_other.removed_at IS NULL
                        WHERE dom.name = part.domain AND dom.removed_at IS NULL {within}) AS here ON true
"""
_KEYS = "part.local_part || '@' || here.name, split_part(part.local_part, '+', 1) || '@' || here.name"
_ANSWERED = f"""
    EXISTS (SELECT 1 FROM mailstore_user u JOIN mailstore_mailbox box ON box.user_id = u.id
             WHERE u.address IN ({_KEYS}) AND box.removed_at IS NULL)
    OR EXISTS (SELECT 1 FROM mailstore_alias a
                WHERE a.address IN ({_KEYS}, '@' || here.name) AND a.mailbox_id IS NULL AND a.active
                  AND (a.expires_at IS NULL OR a.expires_at > now()))
"""
_NOBODY = f"""
    NOT mailstore_alias.keep_copy
    AND NOT EXISTS (SELECT 1 FROM {_TARGETS} WHERE here.name IS NULL OR {_ANSWERED})
"""
_OUTSIDE = f"EXISTS (SELECT 1 FROM {_TARGETS} WHERE here.name IS NULL)"


def leads_to_nobody(domains: Collection[int] | None = None) -> RawSQL:
    """Return the condition that no target of an alias is a mailbox, an alias or in a domain with a catch-all.

    Only targets in these domains are looked at (None: in all of ours); all others count as somebody.
    """
    return _condition(_NOBODY, domains)


def leads_outside(domains: Collection[int] | None = None) -> RawSQL:
    """Return the condition that an alias has a target outside these domains (None: outside all of ours)."""
    return _condition(_OUTSIDE, domains)


def _condition(sql: str, domains: Collection[int] | None) -> RawSQL:
    within = "" if domains is None else "AND dom.id = ANY(%s)"
    parameters: list[Any] = [] if domains is None else [list(domains)]
    return RawSQL(sql.format(within=within), parameters, output_field=BooleanField())  # noqa: S611 - no text of a user
