"""The step that notes what every device of a mailbox has, if a policy counts the days since then."""

from __future__ import annotations

from django.db import connection

from mailstore.sql.device_coverage import every_has
from mailstore.sql.policy_source import followed
from mailstore.sql.sweep_step import Step, SweepContext, windows

# A row keeps only what all devices still have. If one no longer has a message, the days of the message begin anew.
_KEEP = f"""
WITH boxes AS MATERIALIZED (
    SELECT box.id, {every_has()} AS every
      FROM mailstore_mailbox box
      JOIN mailstore_domain dom ON dom.id = box.domain_id
      JOIN mailstore_retentionpolicy p ON {followed()}
     WHERE box.id = ANY(%(boxes)s) AND p.expire_confirmed_days IS NOT NULL),
kept AS (
    UPDATE mailstore_devicecoverage h SET numbers = h.numbers * boxes.every
      FROM boxes WHERE h.mailbox_id = boxes.id AND NOT boxes.every @> h.numbers
 RETURNING h.id)
SELECT count(*) FROM kept
"""
_NOTE = f"""
INSERT INTO mailstore_devicecoverage AS h (mailbox_id, since, numbers)
SELECT boxes.id, date_trunc('day', %(now)s::timestamptz, 'UTC') + interval '1 day', boxes.every - had.numbers
  FROM (SELECT box.id, {every_has()} AS every
          FROM mailstore_mailbox box
          JOIN mailstore_domain dom ON dom.id = box.domain_id
          JOIN mailstore_retentionpolicy p ON {followed()}
         WHERE box.id = ANY(%(boxes)s) AND p.expire_confirmed_days IS NOT NULL) AS boxes
 CROSS JOIN LATERAL (
       SELECT coalesce(range_agg(one), '{{}}') AS numbers
         FROM mailstore_devicecoverage h_had, unnest(h_had.numbers) AS one WHERE h_had.mailbox_id = boxes.id) AS had
 WHERE boxes.every - had.numbers <> '{{}}'
    ON CONFLICT (mailbox_id, since) DO UPDATE SET numbers = h.numbers + excluded.numbers
"""
# Mail that all have had for longer than the policy asks for is due. One row is enough for all of it.
_MERGE = f"""
WITH old AS (
    DELETE FROM mailstore_devicecoverage h
     USING mailstore_mailbox box, mailstore_domain dom, mailstore_retentionpolicy p
     WHERE h.mailbox_id = box.id AND box.id = ANY(%(boxes)s) AND dom.id = box.domain_id AND {followed()}
       AND h.since <= %(now)s - make_interval(days => p.expire_confirmed_days)
       AND 1 < (SELECT count(*) FROM mailstore_devicecoverage h_had
                 WHERE h_had.mailbox_id = box.id
                   AND h_had.since <= %(now)s - make_interval(days => p.expire_confirmed_days))
 RETURNING h.mailbox_id, h.since, h.numbers)
INSERT INTO mailstore_devicecoverage (mailbox_id, since, numbers)
SELECT old.mailbox_id, max(old.since), range_agg(one)
  FROM old, unnest(old.numbers) AS one
 GROUP BY old.mailbox_id
"""


def _act(context: SweepContext) -> tuple[()]:
    for keys in windows(context):
        with connection.cursor() as cursor:
            for statement in (_KEEP, _NOTE, _MERGE):
                cursor.execute(statement, {"boxes": keys, "now": context.now})
    return ()


COVERAGE = Step((), lambda _context: (), _act)
