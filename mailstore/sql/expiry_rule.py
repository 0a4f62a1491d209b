"""When mail leaves by its policy: one expression, which the sweep obeys, forecasts count by and pages show."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from mailstore.sql.device_coverage import every_has, one_has
from mailstore.sql.policy_source import chosen_at, followed, takes_mail
from mailstore.sql.tables import REAL, Tables


def boxes(which: str, *, part: str = "", tables: Tables = REAL) -> str:
    """Return SQL of the CTE `boxes`: the mailboxes box that `which` picks and whose policy takes mail, with what judges
    their mail.

    It is made once a mailbox, so that a message costs two comparisons and a look into two sets, and only the sets that
    a rule asks for are made. `part` is as in `device_coverage.one_has`.
    """
    return f"""
    boxes AS MATERIALIZED (
        SELECT box.id, p.expire_days, p.expire_confirmed_days, p.expire_unfetched, p.remove_when_confirmed, p.hold_days,
               greatest(p.expire_since, {chosen_at()}) AS expire_since,
               greatest(p.expire_confirmed_since, {chosen_at()}) AS expire_confirmed_since,
               greatest(p.remove_since, {chosen_at()}) AS remove_since,
               CASE WHEN p.expire_days IS NOT NULL AND NOT p.expire_unfetched
                    THEN {one_has(part, tables=tables)} END AS one,
               CASE WHEN p.expire_confirmed_days IS NOT NULL OR p.remove_when_confirmed
                    THEN {every_has(part, tables=tables)} END AS every
          FROM {tables.mailbox} box
          JOIN {tables.domain} dom ON dom.id = box.domain_id
          JOIN {tables.policy} p ON {followed(tables=tables)}
         WHERE {which} AND NOT box.held AND box.removed_at IS NULL
           AND {takes_mail()})"""


def due(*, mailbox: str = "boxes", message: str = "m") -> str:
    """Return SQL behind a join of `boxes` with live messages: `due.at` and `due.why` of each message.

    `at` is when the message leaves (NULL: no rule takes it), `why` the rule: `expired` by its age, `had` by the days
    since every device has it, `every` by the removal of what every device has, behind the minimum hold. Mail that no
    device has fetched never expires unless the policy says so. The statement takes the parameter %(now)s.
    """
    aged_from = f"coalesce({message}.aged_from, {message}.arrived_at)"
    # The sweep notes since when every device has a message; what it has not noted yet counts from the end of this day.
    had_since = f"""coalesce((SELECT min(h.since) FROM mailstore_devicecoverage h
                           WHERE h.mailbox_id = {mailbox}.id AND h.numbers @> {message}.added),
                         date_trunc('day', %(now)s::timestamptz, 'UTC') + interval '1 day')"""
    return f"""
    CROSS JOIN LATERAL (
        SELECT CASE WHEN {mailbox}.expire_unfetched OR {message}.added <@ ANY({mailbox}.one)
                    THEN {_later(aged_from, f"{mailbox}.expire_since", f"{mailbox}.expire_days")} END AS arrival,
               CASE WHEN {mailbox}.expire_confirmed_days IS NOT NULL AND {mailbox}.every @> {message}.added
                    THEN {_later(had_since, f"{mailbox}.expire_confirmed_since", f"{mailbox}.expire_confirmed_days")}
                    END AS had,
               CASE WHEN {mailbox}.remove_when_confirmed AND {mailbox}.every @> {message}.added
                    THEN {_later(aged_from, f"{mailbox}.remove_since", f"{mailbox}.hold_days")} END AS removal) AS rules
    CROSS JOIN LATERAL (
        SELECT least(rules.arrival, rules.had, rules.removal) AS at,
               CASE WHEN rules.removal < least(rules.arrival, rules.had) OR least(rules.arrival, rules.had) IS NULL
                    THEN 'every'
                    WHEN rules.had < rules.arrival OR rules.arrival IS NULL THEN 'had'
                    ELSE 'expired' END AS why) AS due"""


def _later(moment: str, since: str, days: str) -> str:
    """Return SQL: so many days behind the later of two moments; NULL where the days are not set."""
    return f"greatest({moment}, {since}) + make_interval(days => {days})"


_LEAVES_AT = f"""
WITH {boxes("box.id = %(mailbox)s")}
SELECT m.added, due.at
  FROM boxes JOIN mailstore_message m ON m.mailbox_id = boxes.id AND m.removed IS NULL AND m.added = ANY(%(added)s)
  {due()}
 WHERE due.at IS NOT NULL
"""


def leaves_at(mailbox: int, added: list[int], *, now: datetime) -> dict[int, datetime]:
    """Return when live messages of a mailbox leave if nothing changes, by their arrival numbers.

    A message that stays is not in the answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LEAVES_AT, {"mailbox": mailbox, "added": added, "now": now})
        return dict(cursor.fetchall())
