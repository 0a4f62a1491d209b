"""What a change of policies would do, before it is saved: judged as the sweep would, on rows as they would be."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from mailstore import bodies
from mailstore.models import Domain, Mailbox, RetentionPolicy
from mailstore.policy.retention import HORIZON_DAYS
from mailstore.retention import recovery_cap_step, recovery_step, relief_step
from mailstore.retention.dry_run import rehearsed
from mailstore.retention.sweep import STEPS
from mailstore.sql.expiry_rule import boxes, due
from mailstore.sql.sweep_step import SweepContext
from mailstore.sql.tables import Tables

OF_POLICY, OF_DOMAIN, OF_MAILBOX = "p.id = %(key)s", "box.domain_id = %(key)s", "box.id = %(key)s"
OF_MANY = "box.id = ANY(%(key)s)"
MAILBOXES = "mailstore_mailbox"
COPIED_MOST = 10_000  # messages: a tenth of a second
# The mailboxes as they would be if all of them chose this policy now (`policies.chosen`), without a row being locked.
_CHOOSING = """(SELECT id, domain_id, held, removed_at, main_pop, recovery_messages, recovery_octets, quota_octets,
        quota_lowered_at, %(policy)s::bigint AS policy_id,
        CASE WHEN policy_id IS DISTINCT FROM %(policy)s THEN %(now)s ELSE policy_since END AS policy_since
   FROM mailstore_mailbox)"""

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

Which = dict[str, Any]  # of `which`: its `key`; of a choice, the `policy` too


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


def of_policy(save: Callable[[], RetentionPolicy], *, now: datetime.datetime | None = None) -> Forecast:
    """Tell what follows for all who follow the policy that `save` makes or changes. Nothing of it stays.

    What `save` raises comes through. It holds the rows that `save` locks while it counts.
    """
    return _forecast(OF_POLICY, lambda: save().pk, now or timezone.now())


def of_domain(domain: Domain, save: Callable[[], object], *, now: datetime.datetime | None = None) -> Forecast:
    """The same for the mailboxes of one domain."""
    return _forecast(OF_DOMAIN, lambda: (save(), domain.pk)[1], now or timezone.now())


def of_mailbox(mailbox: Mailbox, save: Callable[[], object], *, now: datetime.datetime | None = None) -> Forecast:
    """The same for one mailbox."""
    return _forecast(OF_MAILBOX, lambda: (save(), mailbox.pk)[1], now or timezone.now())


def of_choice(
    mailboxes: Sequence[int], policy: RetentionPolicy | None, *, now: datetime.datetime | None = None
) -> Forecast:
    """What follows if the mailboxes of these keys, however many, choose the policy (None: their domain's) now.

    Nothing is locked while it counts.
    """
    which = {"key": list(mailboxes), "policy": None if policy is None else policy.pk, "now": now or timezone.now()}
    days, total = _leaving(OF_MANY, which, mailboxes=_CHOOSING)
    destroyed = _destroyed(OF_MANY, which, mailboxes=_CHOOSING)
    _days, before = _leaving(OF_MANY, which)
    return Forecast(days, total, before, destroyed, relieved=None)


def _forecast(picked: str, save: Callable[[], int], now: datetime.datetime) -> Forecast:
    with transaction.atomic():
        which = {"key": save(), "now": now}
        days, total = _leaving(picked, which)
        destroyed, relieved = _destroyed(picked, which), _relieved(picked, which)
        transaction.set_rollback(True)
    _days, before = _leaving(picked, which)
    return Forecast(days, total, before, destroyed, relieved)


def _leaving(picked: str, which: Which, *, mailboxes: str = MAILBOXES) -> tuple[tuple[Going, ...], Going]:
    statement = _LEAVING.format(
        boxes=boxes(picked, tables=Tables(mailbox=mailboxes)), date=_DATE, due=due(), horizon=_HORIZON
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, which)
        *days, total = (
            Going(messages, octets or 0, mailboxes, date) for date, messages, octets, mailboxes in cursor.fetchall()
        )
    return tuple(days), total


def _destroyed(picked: str, which: Which, *, mailboxes: str = MAILBOXES) -> Going:
    with connection.cursor() as cursor:
        due = {
            step: of.due(picked, tables=Tables(mailbox=mailboxes))
            for step, of in (("rested", recovery_step), ("capped", recovery_cap_step))
        }
        cursor.execute(_DESTROYED.format(**due), which)
        return Going(*cursor.fetchone())


def _relieved(picked: str, which: Which) -> Going | None:
    """The whole pass is made on copies of those that are full: what leaves anyway makes room too.

    None where so much is in them that whoever waits for the rows that `save` has locked would wait for the copies.
    """
    keys = relief_step.full(picked, which)
    held = Mailbox.objects.filter(pk__in=keys).aggregate(most=Sum(F("messages") + F("recovery_messages")))["most"] or 0
    if held > COPIED_MOST:
        return None
    round = SweepContext(bodies.from_url(settings.MAIL_STORE_URL), which["now"])
    gone = [figures for step, figures in rehearsed(STEPS, keys, round) if step is relief_step.RELIEF]
    return Going(sum(messages for messages, _octets in gone), sum(octets for _messages, octets in gone), len(keys))
