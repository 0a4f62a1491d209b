"""What a change of policies would do, before it is saved.

It is judged by the statements of the sweep, on policies, domains and mailboxes as they would be. Nothing is saved.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, Sum
from django.utils import timezone

from mailstore import bodies
from mailstore.directory.policies import Plan
from mailstore.models import Domain, Mailbox, RetentionPolicy
from mailstore.policy.retention import HORIZON_DAYS
from mailstore.retention import recovery_cap_step, recovery_step, relief_step
from mailstore.retention.dry_run import columns, run_on_copies
from mailstore.retention.message_steps import MESSAGE_STEPS
from mailstore.sql.expiry_rule import boxes, due
from mailstore.sql.sweep_step import SweepContext
from mailstore.sql.tables import REAL, Tables

OF_POLICY, OF_DOMAIN, OF_MAILBOX = "p.id = %(key)s", "box.domain_id = %(key)s", "box.id = %(key)s"
OF_MANY = "box.id = ANY(%(key)s)"
COPIED_MOST = 10_000  # messages: a tenth of a second
NEW = -1  # the key that stands for a policy which is not there yet
# The policies as they would be with the one that is %(planned)s.
_POLICIES = """(SELECT * FROM jsonb_populate_record(NULL::mailstore_retentionpolicy, %(planned)s::jsonb)
 UNION ALL
SELECT p_then.* FROM mailstore_retentionpolicy p, jsonb_populate_record(p, %(others)s::jsonb) AS p_then
 WHERE p.id <> %(key)s)"""
# The choice of a mailbox or domain as it would be: of all who choose %(policy)s now, and of all who follow the policy
# %(key)s once no wait counts. A statement looks at no others.
_CHOOSING = {
    "policy_id": "%(policy)s::bigint",
    "policy_since": """CASE WHEN policy_id IS DISTINCT FROM %(policy)s THEN %(since)s::timestamptz
                            ELSE policy_since END""",
}
_AT_ONCE = {"policy_since": "CASE WHEN policy_id IS DISTINCT FROM %(key)s THEN policy_since END"}

# To the end of that day: what is saved "from now on" with as many days is in it.
_HORIZON = f"(date_trunc('day', %(now)s::timestamptz, 'UTC') + make_interval(days => {HORIZON_DAYS + 1}))"
_DATE = "(greatest(due.at, %(now)s) AT TIME ZONE 'UTC')::date"
_LEAVING = """
WITH {boxes}
SELECT {date}, count(*), sum(m.octets)::bigint, count(DISTINCT m.mailbox_id)
  FROM boxes JOIN mailstore_message m ON m.mailbox_id = boxes.id AND m.removed IS NULL {due}
 WHERE due.at < {horizon}
 GROUP BY GROUPING SETS (1, ()) ORDER BY 1
"""
_DESTROYED = """
SELECT count(*), coalesce(sum(gone.octets), 0)::bigint, count(DISTINCT gone.mailbox_id)
  FROM (SELECT m.id, m.mailbox_id, m.octets {rested} UNION SELECT m.id, m.mailbox_id, m.octets {capped}) AS gone
"""

Which = dict[str, Any]  # the parameters of a statement: `key` is of what is picked, `now` is the moment


@dataclass(frozen=True, slots=True)
class Going:
    """Mail that goes. `date` is the day in UTC on which it does; None: within the whole horizon, or at once."""

    messages: int
    octets: int
    mailboxes: int
    date: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """`days` with removals to recovery within HORIZON_DAYS, the first first, and their `total`.

    `before` is the total under the rules as they are; `destroyed` what the next pass takes out of recovery for good;
    `relieved` what it lets go, besides, to make room in full mailboxes, which are its `mailboxes` (None: not counted).
    """

    days: tuple[Going, ...]
    total: Going
    before: Going
    destroyed: Going
    relieved: Going | None


def of_policy(plan: Plan, *, now: datetime.datetime | None = None) -> Forecast:
    """Return what follows for all who follow a policy, once it is saved as planned. Nothing is written or locked."""
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
    """Return what follows in a domain that chooses this policy (None: the site's) now; `at_once`: without a wait."""
    which = _chosen(domain.pk, policy, at_once, now or timezone.now())
    return _forecast(OF_DOMAIN, which, Tables(domain=_as_if(Domain, _CHOOSING)))


def of_mailbox(
    mailbox: Mailbox, policy: RetentionPolicy | None, *, at_once: bool = False, now: datetime.datetime | None = None
) -> Forecast:
    """Return what follows in a mailbox that chooses this policy (None: its domain's) now; `at_once`: without a wait."""
    which = _chosen(mailbox.pk, policy, at_once, now or timezone.now())
    return _forecast(OF_MAILBOX, which, Tables(mailbox=_as_if(Mailbox, _CHOOSING)))


def of_choice(
    mailboxes: Sequence[int], policy: RetentionPolicy | None, *, now: datetime.datetime | None = None
) -> Forecast:
    """Return what follows if the mailboxes of these keys, however many, choose the policy (None: their domain's) now.

    Relief is not counted.
    """
    which = _chosen(list(mailboxes), policy, False, now or timezone.now())
    tables = Tables(mailbox=_as_if(Mailbox, _CHOOSING))
    days, total = _leaving(OF_MANY, which, tables)
    _days, before = _leaving(OF_MANY, which, REAL)
    return Forecast(days, total, before, _destroyed(OF_MANY, which, tables), relieved=None)


def _chosen(key: int | list[int], policy: RetentionPolicy | None, at_once: bool, now: datetime.datetime) -> Which:
    return {
        "key": key,
        "policy": None if policy is None else policy.pk,
        "since": None if at_once else now,
        "now": now,
    }


def _as_if(model: type[Mailbox | Domain], columns_as_if: dict[str, str]) -> str:
    """Return SQL that stands in for a table: its rows, with some columns as they would be."""
    return f"(SELECT {columns(model, **columns_as_if)} FROM {model._meta.db_table})"


def _forecast(picked: str, which: Which, tables: Tables) -> Forecast:
    days, total = _leaving(picked, which, tables)
    _days, before = _leaving(picked, which, REAL)
    return Forecast(days, total, before, _destroyed(picked, which, tables), _relieved(picked, which, tables))


def _leaving(picked: str, which: Which, tables: Tables) -> tuple[tuple[Going, ...], Going]:
    statement = _LEAVING.format(boxes=boxes(picked, tables=tables), date=_DATE, due=due(), horizon=_HORIZON)
    with connection.cursor() as cursor:
        cursor.execute(statement, which)
        *days, total = (
            Going(messages, octets or 0, mailboxes, date) for date, messages, octets, mailboxes in cursor.fetchall()
        )
    return tuple(days), total


def _destroyed(picked: str, which: Which, tables: Tables) -> Going:
    rested, capped = (of.due(picked, tables=tables) for of in (recovery_step, recovery_cap_step))
    with connection.cursor() as cursor:
        cursor.execute(_DESTROYED.format(rested=rested, capped=capped), which)
        return Going(*cursor.fetchone())


def _relieved(picked: str, which: Which, tables: Tables) -> Going | None:
    """Make the steps of a pass on copies of the mailboxes that are full: what leaves anyway makes room too.

    None where they hold so much that the page would wait for the copies.
    """
    keys = relief_step.full(picked, which, tables)
    held = Mailbox.objects.filter(pk__in=keys).aggregate(most=Sum(F("messages") + F("recovery_messages")))["most"] or 0
    if held > COPIED_MOST:
        return None
    context = SweepContext(bodies.from_url(settings.MAIL_STORE_URL), which["now"], tables=tables)
    done = run_on_copies(MESSAGE_STEPS, keys, context, which)
    gone = [figures for step, figures in done if step is relief_step.RELIEF]
    return Going(sum(messages for messages, _octets in gone), sum(octets for _messages, octets in gone), len(keys))
