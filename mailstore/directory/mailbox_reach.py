"""Which addresses lead to a mailbox: the way of a delivery, followed backwards, and where its own forward leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection
from django.db.models.sql import Query

from mailstore.models import Alias, Mailbox
from mailstore.models.columns import joined, plain
from mailstore.policy.addresses import ALIAS_LEVELS_LIMIT

ALIASES_MOST = 200  # that are returned; a page shows a few, and counts the others
FOLLOWED_MOST = (
    20  # names of one level whose own aliases are looked for: each costs a search, up to 10 ms in a large site
)

# An address answers in the domains that stand for its own too, and for its +details. The pattern is for the index of
# the aliases' search (`searched`); the targets decide. A catch-all leads on as an address that nobody writes to: no row
# follows it.
_REACH = f"""
WITH RECURSIVE led AS (
    SELECT NULL::bigint AS id, %(address)s::text AS address, ''::text AS via, 0 AS depth
     UNION
    SELECT a.id, a.address, led.address, led.depth + 1
      FROM (SELECT last.address, last.depth, row_number() OVER (ORDER BY last.address) AS place
              FROM led AS last WHERE last.depth < {ALIAS_LEVELS_LIMIT} AND last.address NOT LIKE '@%%') AS led
     CROSS JOIN LATERAL (SELECT split_part(led.address, '@', 1) AS name, split_part(led.address, '@', 2) AS home) AS own
     CROSS JOIN LATERAL (
           SELECT own.home AS home
            UNION ALL
           SELECT dom_other.name
             FROM mailstore_domain dom_other JOIN mailstore_domain dom ON dom.id = dom_other.stands_for_id
            WHERE dom.name = own.home AND dom_other.active AND dom_other.removed_at IS NULL) AS place
      JOIN mailstore_alias a ON {{searched}} LIKE
           '%%' || regexp_replace(mailstore_plain(own.name), '([\\\\%%_])', '\\\\\\1', 'g')
                || '%%@' || mailstore_plain(place.home) || '%%'
       AND EXISTS (SELECT 1 FROM unnest(a.targets) AS target
                    WHERE target = own.name || '@' || place.home
                       OR own.name <> '' AND split_part(target, '@', 2) = place.home
                      AND split_part(split_part(target, '@', 1), '+', 1) = own.name)
      JOIN mailstore_domain dom ON dom.id = a.domain_id
     WHERE led.place <= {FOLLOWED_MOST}
       AND a.active AND dom.active AND dom.removed_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > now())
       AND a.mailbox_id IS DISTINCT FROM %(mailbox)s
       AND (a.mailbox_id IS NULL OR EXISTS (
            SELECT 1 FROM mailstore_mailbox box
             WHERE box.id = a.mailbox_id AND box.removed_at IS NULL AND box.receives))
       AND (%(domains)s::bigint[] IS NULL OR a.domain_id = ANY(%(domains)s)))
SELECT * FROM (
    SELECT DISTINCT ON (a.id) 'alias' AS kind, a.id, a.address, CASE WHEN led.depth > 1 THEN led.via ELSE '' END AS via,
           led.depth, a.targets, a.mailbox_id IS NOT NULL AS forward, a.keep_copy
      FROM led JOIN mailstore_alias a ON a.id = led.id
     ORDER BY a.id, led.depth) AS alias
 UNION ALL
SELECT 'domain', dom.id, dom.name, '', 0, '{{}}', false, false
  FROM mailstore_domain dom
 WHERE dom.stands_for_id = %(domain)s AND dom.active AND dom.removed_at IS NULL
   AND (%(domains)s::bigint[] IS NULL OR dom.id = ANY(%(domains)s))
 UNION ALL
SELECT 'forward', a.id, a.address, '', 0, a.targets, true, a.keep_copy
  FROM mailstore_alias a JOIN mailstore_domain dom ON dom.id = a.domain_id
 WHERE a.mailbox_id = %(mailbox)s AND a.active AND dom.active AND (a.expires_at IS NULL OR a.expires_at > now())
 ORDER BY depth, address LIMIT {ALIASES_MOST + 1}
"""


@dataclass(frozen=True, slots=True)
class LeadingAlias:
    """An alias that leads here, directly or by way of the alias `via`; a catch-all begins with @.

    `forward`: it is the forward of another mailbox.
    """

    alias: int  # its primary key
    address: str
    via: str
    targets: tuple[str, ...]
    forward: bool
    keep_copy: bool


@dataclass(frozen=True, slots=True)
class StandingDomain:
    """A domain that stands for the mailbox's own: the same names lead to it."""

    domain: int  # its primary key
    name: str


@dataclass(frozen=True, slots=True)
class Reach:
    """What leads to a mailbox, nearest first, and its own forward. `cut`: there may be more than these."""

    aliases: tuple[LeadingAlias, ...]
    domains: tuple[StandingDomain, ...]
    forward: LeadingAlias | None
    cut: bool

    @property
    def only_leading_here(self) -> list[LeadingAlias]:
        """Return the aliases that would lead to nobody without this mailbox."""
        found: dict[str, LeadingAlias] = {}
        for alias in self.aliases:
            if len(alias.targets) == 1 and not alias.keep_copy and (not alias.via or alias.via in found):
                found[alias.address] = alias
        return list(found.values())


def of(mailbox: Mailbox, *, domains: Collection[int] | None) -> Reach:
    """Return what leads to the mailbox now, with one statement. It looks at the aliases of `domains` only; None: all.

    What is switched off, expired or suspended leads nowhere, as for a delivery.
    """
    parameters: dict[str, Any] = {
        "address": mailbox.user.address,
        "mailbox": mailbox.pk,
        "domain": mailbox.domain_id,
        "domains": None if domains is None else list(domains),
    }
    with connection.cursor() as cursor:
        cursor.execute(_reach(), parameters)
        rows = cursor.fetchall()
    levels = Counter(depth for _kind, _key, _address, _via, depth, *_alias in rows if depth)
    aliases = [(row[0], _alias(row)) for row in rows if row[0] != "domain"]
    return Reach(
        tuple(alias for kind, alias in aliases if kind == "alias"),
        tuple(StandingDomain(*row[1:3]) for row in rows if row[0] == "domain"),
        next((alias for kind, alias in aliases if kind == "forward"), None),
        len(rows) > ALIASES_MOST or max(levels.values(), default=0) > FOLLOWED_MOST,
    )


@cache
def _reach() -> str:
    """Return the statement. Postgres takes an index only for the expression that the index was made of."""
    query = Query(Alias)
    expression = plain("address", joined("targets"), "comment").resolve_expression(query)
    searched, _no_parameters = query.get_compiler(connection=connection).compile(expression)
    return _REACH.replace("{searched}", searched.replace(f'"{Alias._meta.db_table}"', "a"))


def _alias(row: tuple[Any, ...]) -> LeadingAlias:
    _kind, alias, address, via, _depth, targets, forward, keep_copy = row
    return LeadingAlias(alias, address, via, tuple(targets), forward, keep_copy)
