"""Where aliases lead by their targets: which targets lead to nobody, and the conditions of lists and counts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

# The rows of `source` (with an `address`) that lead to nobody, by hashes if they are many. A domain that stands for
# another is looked up there; if that one is removed, `name` is NULL and nothing answers. A delivery does the same.
_UNKNOWN = """
    SELECT target.*
      FROM ({source}) AS target
      JOIN mailstore_domain dom ON dom.name = split_part(target.address, '@', 2) AND dom.removed_at IS NULL
      LEFT JOIN mailstore_domain dom_other ON dom_other.id = dom.stands_for_id AND dom_other.removed_at IS NULL
     CROSS JOIN LATERAL (SELECT split_part(target.address, '@', 1) AS local_part,
           '@' || CASE WHEN dom.stands_for_id IS NULL THEN dom.name ELSE dom_other.name END AS home) AS part
     CROSS JOIN LATERAL (SELECT part.local_part || part.home AS whole,
                                split_part(part.local_part, '+', 1) || part.home AS bare) AS key
     WHERE {within}
"""
_NO_MAILBOX = """
       AND NOT EXISTS (SELECT 1 FROM mailstore_user u JOIN mailstore_mailbox box ON box.user_id = u.id
                        WHERE u.address = {key} AND box.removed_at IS NULL)
"""
_NO_ALIAS = """
       AND NOT EXISTS (SELECT 1 FROM mailstore_alias a
                        WHERE a.address = {key} AND a.mailbox_id IS NULL AND a.active
                          AND (a.expires_at IS NULL OR a.expires_at > now()))
"""
_ANSWERS = "".join(
    [_NO_MAILBOX.format(key=key) for key in ("key.whole", "key.bare")]
    + [_NO_ALIAS.format(key=key) for key in ("key.whole", "key.bare", "part.home")]
)
_WITHIN = "dom.id = ANY(%s) AND (dom_other.id IS NULL OR dom_other.id = ANY(%s))"
_TARGETS = """
    SELECT a.id, cardinality(a.targets) AS targets, each.address
      FROM mailstore_alias a CROSS JOIN unnest(a.targets) AS each (address) WHERE NOT a.keep_copy
"""
_NOBODY = """
    mailstore_alias.id IN (SELECT unknown.id FROM ({unknown}) AS unknown
                            GROUP BY unknown.id, unknown.targets HAVING count(*) = unknown.targets)
"""
_OUTSIDE = """
    EXISTS (SELECT 1 FROM unnest(mailstore_alias.targets) AS target (address)
             WHERE NOT EXISTS (SELECT 1 FROM mailstore_domain dom
                                WHERE dom.name = split_part(target.address, '@', 2)
                                  AND dom.removed_at IS NULL {within}))
"""


def unknown(source: str, domains: Collection[int] | None) -> tuple[str, list[Any]]:
    """Return the statement for the rows of `source` whose address no mailbox, alias or catch-all answers for.

    Only addresses in these domains are looked at (None: in all of ours), and what these stand for must be among them
    too: whoever reads the answer may see those. The parameters are those behind the ones of the source.
    """
    within = "true" if domains is None else _WITHIN
    return _UNKNOWN.format(source=source, within=within) + _ANSWERS, [] if domains is None else [list(domains)] * 2


def leads_to_nobody(domains: Collection[int] | None = None) -> RawSQL:
    """Return the condition that all targets of an alias are `unknown`, and its mailbox, if any, keeps no copy."""
    statement, parameters = unknown(_TARGETS, domains)
    return _condition(_NOBODY.format(unknown=statement), parameters)


def leads_outside(domains: Collection[int] | None = None) -> RawSQL:
    """Return the condition that an alias has a target outside these domains (None: outside all of ours)."""
    within = "" if domains is None else "AND dom.id = ANY(%s)"
    return _condition(_OUTSIDE.format(within=within), [] if domains is None else [list(domains)])


def _condition(sql: str, parameters: list[Any]) -> RawSQL:
    return RawSQL(sql, parameters, output_field=BooleanField())  # noqa: S611 - no text of a user
