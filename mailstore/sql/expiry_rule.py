"""When mail leaves by its policy: one expression, which the sweep obeys, previews count by and pages tell."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from mailstore.sql.device_coverage import every_has, one_has
from mailstore.sql.policy_source import CHOSEN_AT, FOLLOWED


def boxes(which: str, *, mailboxes: str = "mailstore_mailbox", part: str = "") -> str:
    """SQL of a CTE: the mailboxes x that `which` picks and whose policy takes mail at all, with what judges it.

    `mailboxes` is the table, or a subquery that has the rows as they might be; `part` as in `possession.one_has`.

    Made once a mailbox, so that a message costs two comparisons and a look into two sets, and only the sets that a rule
    asks for.
    """
    return f"""
    boxes AS MATERIALIZED (
        SELECT x.id, p.expire_days, p.expire_confirmed_days, p.expire_unfetched, p.remove_when_confirmed, p.hold_days,
               greatest(p.expire_since, {CHOSEN_AT}) AS expire_since,
               greatest(p.expire_confirmed_since, {CHOSEN_AT}) AS expire_confirmed_since,
               greatest(p.remove_since, {CHOSEN_AT}) AS remove_since,
               CASE WHEN p.expire_days IS NOT NULL AND NOT p.expire_unfetched THEN {one_has(part)} END AS one,
               CASE WHEN p.expire_confirmed_days IS NOT NULL OR p.remove_when_confirmed
                    THEN {every_has(part)} END AS every
          FROM {mailboxes} x
          JOIN mailstore_domain o ON o.id = x.domain_id
          JOIN mailstore_retentionpolicy p ON {FOLLOWED}
         WHERE {which} AND NOT x.held AND x.removed_at IS NULL
           AND (p.expire_days IS NOT NULL OR p.expire_confirmed_days IS NOT NULL OR p.remove_when_confirmed))"""


# Days behind a moment; NULL where the rule is not set.
def _days(since: str, days: str) -> str:
    return f"{since} + make_interval(days => {days})"


# What every device has had since: what the sweep has noted, or from the end of this day on.
_HAD_SINCE = """coalesce((SELECT min(h.since) FROM mailstore_everydevicehas h
                           WHERE h.mailbox_id = b.id AND h.numbers @> m.added),
                         date_trunc('day', %(now)s::timestamptz, 'UTC') + interval '1 day')"""

# When live message m of box b leaves (NULL: no rule takes it), and by which rule. Unfetched mail never expires unless
# the policy says so; `every` is the removal of what every device has, behind the minimum hold.
_AGED_FROM = "coalesce(m.aged_from, m.arrived_at)"
DUE = f"""
    CROSS JOIN LATERAL (
        SELECT CASE WHEN b.expire_unfetched OR m.added <@ ANY(b.one)
                    THEN {_days(f"greatest({_AGED_FROM}, b.expire_since)", "b.expire_days")} END AS arrival,
               CASE WHEN b.expire_confirmed_days IS NOT NULL AND b.every @> m.added
                    THEN {_days(f"greatest({_HAD_SINCE}, b.expire_confirmed_since)", "b.expire_confirmed_days")}
                    END AS had,
               CASE WHEN b.remove_when_confirmed AND b.every @> m.added
                    THEN {_days(f"greatest({_AGED_FROM}, b.remove_since)", "b.hold_days")} END AS removal) AS rules
    CROSS JOIN LATERAL (
        SELECT least(rules.arrival, rules.had, rules.removal) AS at,
               CASE WHEN rules.removal < least(rules.arrival, rules.had) OR least(rules.arrival, rules.had) IS NULL
                    THEN 'every'
                    WHEN rules.had < rules.arrival OR rules.arrival IS NULL THEN 'had'
                    ELSE 'expired' END AS why) AS due"""

_LEAVES_AT = f"""
WITH {boxes("x.id = %(mailbox)s")}
SELECT m.added, due.at
  FROM boxes b JOIN mailstore_message m ON m.mailbox_id = b.id AND m.removed IS NULL AND m.added = ANY(%(added)s)
  {DUE}
 WHERE due.at IS NOT NULL
"""


def leaves_at(mailbox: int, added: list[int], *, now: datetime) -> dict[int, datetime]:
    """When live messages of a mailbox, by their arrival numbers, leave if nothing changes; who stays is not in it."""
    with connection.cursor() as cursor:
        cursor.execute(_LEAVES_AT, {"mailbox": mailbox, "added": added, "now": now})
        return dict(cursor.fetchall())
