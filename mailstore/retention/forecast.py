"""Forecasts: what a change of policies would do, before it is saved.

The statements of the sweep decide, on policies, domains and mailboxes as they would be. Nothing is saved.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import F, Sum
from django.utils import timezone

from mailstore import bodies
from mailstore.directory.policies import Plan
from mailstore.models import Domain, Mailbox, RetentionPolicy
from mailstore.policy.retention import HORIZON_DAYS, DomainLeaving, Forecast, Leaving
from mailstore.retention import recovery_cap_step, recovery_step, relief_step
from mailstore.retention.dry_run import columns, run_on_copies
from mailstore.retention.message_steps import MESSAGE_STEPS
from mailstore.sql.expiry_rule import boxes, due
from mailstore.sql.policy_source import followed
from mailstore.sql.sweep_step import SweepContext
from mailstore.sql.tables import REAL, Tables

OF_POLICY, OF_DOMAIN, OF_MAILBOX = "p.id = %(key)s", "box.domain_id = %(key)s", "box.id = %(key)s"
OF_MANY = "box.id = ANY(%(key)s)"
COPIED_MOST = 10_000  # messages, which take a tenth of a second
NEW = -1  # stands for the key of a policy that does not exist yet
# The policies as they would be, with the planned one.
_POLICIES = """(SELECT * FROM jsonb_populate_record(NULL::mailstore_retentionpolicy, %(planned)s::jsonb)
 UNION ALL
SELECT p_then.* FROM mailstore_retentionpolicy p, jsonb_populate_record(p, %(others)s::jsonb) AS p_then
 WHERE p.id <> %(key)s)"""
# The choice of a mailbox or domain as it would be: if all that are picked choose %(policy)s now, and if the policy
# %(key)s holds for its followers without a wait.
_CHOOSING = {
    "policy_id": "%(policy)s::bigint",
    "policy_since": """CASE WHEN policy_id IS DISTINCT FROM %(policy)s THEN %(since)s::timestamptz
                            ELSE policy_since END""",
}
_AT_ONCE = {"policy_since": "CASE WHEN policy_id IS DISTINCT FROM %(key)s THEN policy_since END"}

# To the end of that day, so that it includes mail that a rule of as many days takes, saved "from now on".
_HORIZON = f"(date_trunc('day', %(now)s::timestamptz, 'UTC') + make_interval(days => {HORIZON_DAYS + 1}))"
_DATE = "(greatest(due.at, %(now)s) AT TIME ZONE 'UTC')::date"

# Of a message that no rule takes, `at` is NULL. It is counted too where it stays only since no device has it: `unless`
# is when it would leave otherwise. OFFSET keeps the rules from being judged again for each mention of `at`. Then the
# messages are added up by mailbox first: a site has far fewer of these to sort.
_LEAVING = """
WITH {boxes}, judged AS (
    SELECT m.mailbox_id, m.octets, due.at,
           CASE WHEN NOT boxes.expire_unfetched THEN greatest(coalesce(m.aged_from, m.arrived_at), boxes.expire_since)
                                                     + make_interval(days => boxes.expire_days) END AS unless
      FROM boxes JOIN mailstore_message m ON m.mailbox_id = boxes.id AND m.removed IS NULL {due} OFFSET 0),
part AS MATERIALIZED (
    SELECT due.at IS NULL AS stays, {date} AS date, due.mailbox_id, count(*) AS messages, sum(due.octets) AS octets
      FROM judged due WHERE coalesce(due.at, due.unless) < {horizon} GROUP BY 1, 2, 3)
SELECT part.stays, part.date, dom.name, sum(part.messages)::bigint, sum(part.octets)::bigint,
       count(DISTINCT part.mailbox_id)
  FROM part JOIN mailstore_mailbox box ON box.id = part.mailbox_id JOIN mailstore_domain dom ON dom.id = box.domain_id
 GROUP BY GROUPING SETS ((1, 2), (1, 3), (1)) ORDER BY 2
"""
_HELD = """
SELECT count(*) FROM {mailbox} box JOIN {domain} dom ON dom.id = box.domain_id JOIN {policy} p ON {followed}
 WHERE {which} AND box.held AND box.removed_at IS NULL
"""
_DESTROYED = """
SELECT count(*), coalesce(sum(gone.octets), 0)::bigint, count(DISTINCT gone.mailbox_id)
  FROM (SELECT m.id, m.mailbox_id, m.octets {rested} UNION SELECT m.id, m.mailbox_id, m.octets {capped}) AS gone
"""

Which = dict[str, Any]  # the parameters of a statement: `key` of what is picked, and `now`


def of_policy(plan: Plan, *, now: datetime.datetime | None = None) -> Forecast:
    """Return the forecast for all that follow a policy, if it is saved as planned. Nothing is written or locked."""
    moment = now or timezone.now()
    key = plan.policy.pk or NEW
    row = {field.column: getattr(plan.policy, field.attname) for field in RetentionPolicy._meta.concrete_fields}
    which = {
        "key": key,
        "now": moment,
        "planned": json.dumps({**row, "id": key, "saved_at": moment}, default=str),
        "others": json.dumps({"site": False} if plan.takes_site else {}),
    }
    tables = Tables(policy=_POLICIES)
    if plan.at_once:
        tables = replace(tables, mailbox=_as_if(Mailbox, _AT_ONCE), domain=_as_if(Domain, _AT_ONCE))
    return _forecast(OF_POLICY, which, tables)


def of_domain(
    domain: Domain, policy: RetentionPolicy | None, *, at_once: bool = False, now: datetime.datetime | None = None
) -> Forecast:
    """Return the forecast for a domain that chooses this policy (None: the site's) now; `at_once`: without a wait."""
    which = _chosen(domain.pk, policy, at_once, now or timezone.now())
    return _forecast(OF_DOMAIN, which, Tables(domain=_as_if(Domain, _CHOOSING)))


def of_mailbox(
    mailbox: Mailbox, policy: RetentionPolicy | None, *, at_once: bool = False, now: datetime.datetime | None = None
) -> Forecast:
    """Return the forecast for a mailbox that chooses this policy (None: its domain's); `at_once`: without a wait."""
    which = _chosen(mailbox.pk, policy, at_once, now or timezone.now())
    return _forecast(OF_MAILBOX, which, Tables(mailbox=_as_if(Mailbox, _CHOOSING)))


def relief_of_mailbox(
    mailbox: Mailbox, policy: RetentionPolicy, *, now: datetime.datetime | None = None
) -> Leaving | None:
    """Return what the next sweep would remove to make room in the mailbox if it chose this policy now.

    None if it holds too much to count. Cheaper than the whole forecast, so that several policies can be compared.
    """
    which = _chosen(mailbox.pk, policy, False, now or timezone.now())
    return _relieved(OF_MAILBOX, which, Tables(mailbox=_as_if(Mailbox, _CHOOSING)))


def of_choice(
    mailboxes: Sequence[int], policy: RetentionPolicy | None, *, now: datetime.datetime | None = None
) -> Forecast:
    """Return the forecast for any number of mailboxes, by key, that choose this policy (None: their domain's) now.

    Relief is not counted.
    """
    which = _chosen(list(mailboxes), policy, False, now or timezone.now())
    return _forecast(OF_MANY, which, Tables(mailbox=_as_if(Mailbox, _CHOOSING)), relief=False)


def _chosen(key: int | list[int], policy: RetentionPolicy | None, at_once: bool, now: datetime.datetime) -> Which:
    return {
        "key": key,
        "policy": None if policy is None else policy.pk,
        "since": None if at_once else now,
        "now": now,
    }


def _as_if(model: type[Mailbox | Domain], columns_as_if: dict[str, str]) -> str:
    """Return SQL to use in place of a table: its rows, with some columns as they would be."""
    return f"(SELECT {columns(model, **columns_as_if)} FROM {model._meta.db_table})"


def _forecast(picked: str, which: Which, tables: Tables, *, relief: bool = True) -> Forecast:
    rows, before = _leaving(picked, which, tables), _leaving(picked, which, REAL)
    gone = [row for row in rows if not row.stays]
    return Forecast(
        days=tuple(row.leaving for row in gone if row.leaving.date is not None),
        total=_sum(gone),
        before=_sum(row for row in before if not row.stays),
        destroyed=_destroyed(picked, which, tables),
        relieved=_relieved(picked, which, tables) if relief else None,
        domains=tuple(sorted((row.of_domain() for row in gone if row.domain), key=lambda each: -each.messages)),
        held_mailboxes=_held(picked, which, tables),
        unfetched=_sum(row for row in rows if row.stays).messages,
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """Messages of one day or of one domain, or all of them; `stays`: those that stay since no device has them."""

    stays: bool
    domain: str | None
    leaving: Leaving

    def of_domain(self) -> DomainLeaving:
        return DomainLeaving(self.domain or "", self.leaving.messages, self.leaving.octets)


def _sum(rows: Iterable[_Row]) -> Leaving:
    """Return the sum that the statement has made, which is in a row of its own."""
    return next((row.leaving for row in rows if row.domain is None and row.leaving.date is None), Leaving(0, 0, 0))


def _leaving(picked: str, which: Which, tables: Tables) -> list[_Row]:
    statement = _LEAVING.format(boxes=boxes(picked, tables=tables), date=_DATE, due=due(), horizon=_HORIZON)
    with connection.cursor() as cursor:
        cursor.execute(statement, which)
        return [
            _Row(stays, name, Leaving(messages, octets or 0, mailboxes, date))
            for stays, date, name, messages, octets, mailboxes in cursor.fetchall()
        ]


def _held(picked: str, which: Which, tables: Tables) -> int:
    names = {"mailbox": tables.mailbox, "domain": tables.domain, "policy": tables.policy}
    with connection.cursor() as cursor:
        cursor.execute(_HELD.format(**names, followed=followed(tables=tables), which=picked), which)
        count: int = cursor.fetchone()[0]
    return count


def _destroyed(picked: str, which: Which, tables: Tables) -> Leaving:
    rested, capped = (of.due(picked, tables=tables) for of in (recovery_step, recovery_cap_step))
    with connection.cursor() as cursor:
        cursor.execute(_DESTROYED.format(rested=rested, capped=capped), which)
        return Leaving(*cursor.fetchone())


def _relieved(picked: str, which: Which, tables: Tables) -> Leaving | None:
    """Make the steps of a pass on copies of the full mailboxes, since expired mail makes room too.

    Returns None if they hold so much that the page would wait for the copies.
    """
    keys = relief_step.full(picked, which, tables)
    held = Mailbox.objects.filter(pk__in=keys).aggregate(most=Sum(F("messages") + F("recovery_messages")))["most"] or 0
    if held > COPIED_MOST:
        return None
    context = SweepContext(bodies.site_store(), which["now"], tables=tables)
    done = run_on_copies(MESSAGE_STEPS, keys, context, which)
    gone = [counts for step, counts in done if step is relief_step.RELIEF]
    return Leaving(sum(messages for messages, _octets in gone), sum(octets for _messages, octets in gone), len(keys))
