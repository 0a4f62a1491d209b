"""The step that finds mail programs with a wrong setup in the diary: one statement for each kind, for all mailboxes.

Each statement selects mailbox, device and facts. A mail program that is set up well never reaches the limits.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from mailstore.models import Finding
from mailstore.policy.networks import KNOWN_DAYS
from mailstore.retention import stopping_message
from mailstore.sql.policy_source import followed, takes_mail
from mailstore.sql.sweep_step import Step, SweepContext

WINDOW_DAYS = 2
KEEPS_DAYS = 30
REFETCH_TIMES = 3  # each message on average, in the window
REFETCH_MESSAGES = 10  # fetched once more than needed, at least
SHARED_HOURS = 6  # of the window, in which a device came from two networks; a phone changes them less often
HASTY_SESSIONS = 240  # an hour: every 15 seconds
KEEPS_PERCENT = 75
UNENDED_SESSIONS = 10
UNDONE_SESSIONS = 3
STOPPED_SESSIONS = 3
STOPPED_HOURS = 24  # from the first session that ended at the message to the last

_LATELY = f"s.started_at > %(now)s - interval '{WINDOW_DAYS} days' AND s.started_at <= %(now)s AND s.ended <> 'sent'"
_KNOWN = "s.device_id IS NOT NULL"


def _only(having: str) -> str:
    """Return SQL: a cheap sum that leaves out most devices of a site, before the costly statement looks at the rest."""
    return f"""s.device_id IN (
               SELECT s.device_id FROM mailstore_diarysession s
                WHERE {_LATELY} AND {_KNOWN} GROUP BY s.device_id HAVING {having})"""


# A deletion counts only after QUIT (RFC 1939 §6), so such a program gets the same messages again. It has them in mind.
_DELETES_IN_VAIN = f"""count(*) FILTER (WHERE s.unremoved_messages > 0 AND s.ended IN ('lost', 'idle'))
            >= {UNDONE_SESSIONS} AND sum(s.removed_messages) = 0"""

_REFETCH = f"""
SELECT often.mailbox_id, often.device_id,
       jsonb_build_object('fetched', often.fetched, 'messages', each.messages) AS facts
  FROM (SELECT s.mailbox_id, s.device_id, sum(s.fetched_messages)::bigint AS fetched
          FROM mailstore_diarysession s
         WHERE {_LATELY} AND {_KNOWN} AND s.fetched_messages > 0
         GROUP BY s.mailbox_id, s.device_id
        HAVING count(*) >= {REFETCH_TIMES} AND sum(s.fetched_messages) > {REFETCH_MESSAGES}
               AND NOT ({_DELETES_IN_VAIN})) AS often
 CROSS JOIN LATERAL (
       SELECT sum(upper(run) - lower(run))::bigint AS messages
         FROM unnest((SELECT range_agg(part) FROM mailstore_diarysession s, unnest(s.fetched) AS part
                       WHERE s.mailbox_id = often.mailbox_id AND s.device_id = often.device_id AND {_LATELY})) AS run
       ) AS each
 WHERE often.fetched >= {REFETCH_TIMES} * each.messages AND often.fetched - each.messages >= {REFETCH_MESSAGES}
"""

# Networks of one family only: one machine may use IPv4 and IPv6 by turns.
_SHARED = f"""
SELECT hours.mailbox_id, hours.device_id,
       jsonb_build_object('hours', count(DISTINCT hours.hour), 'networks', max(hours.networks)) AS facts
  FROM (SELECT s.mailbox_id, s.device_id, date_trunc('hour', s.started_at) AS hour,
               count(DISTINCT network(set_masklen(s.client, CASE family(s.client) WHEN 4 THEN 24 ELSE 48 END)))
               AS networks
          FROM mailstore_diarysession s
         WHERE {_LATELY} AND {_only("min(s.client) <> max(s.client)")} AND s.client IS NOT NULL
         GROUP BY s.mailbox_id, s.device_id, hour, family(s.client)
        HAVING min(s.client) <> max(s.client)) AS hours
 WHERE hours.networks > 1
 GROUP BY hours.mailbox_id, hours.device_id
HAVING count(DISTINCT hours.hour) >= {SHARED_HOURS}
"""

_HASTY = f"""
SELECT hours.mailbox_id, hours.device_id, jsonb_build_object('sessions', max(hours.sessions)) AS facts
  FROM (SELECT s.mailbox_id, s.device_id, sum(s.sessions)::bigint AS sessions
          FROM mailstore_diarysession s
         WHERE {_LATELY} AND {_only(f"sum(s.sessions) >= {HASTY_SESSIONS}")}
         GROUP BY s.mailbox_id, s.device_id, date_trunc('hour', s.started_at)
        HAVING sum(s.sessions) >= {HASTY_SESSIONS}) AS hours
 GROUP BY hours.mailbox_id, hours.device_id
"""

# Of either quota, the fuller one; NULL where neither is set.
_PERCENT = """greatest(box.octets * 100 / nullif(box.quota_octets, 0),
                box.messages * 100 / nullif(box.quota_messages, 0))"""

# Only if the mailbox fills and no rule removes mail.
_KEEPS = f"""
SELECT box.id AS mailbox_id, s.device_id,
       jsonb_build_object('percent', {_PERCENT}, 'fetched', sum(s.fetched_messages)) AS facts
  FROM mailstore_mailbox box
  JOIN mailstore_domain dom ON dom.id = box.domain_id
  LEFT JOIN mailstore_retentionpolicy p ON {followed()}
  JOIN mailstore_diarysession s ON s.mailbox_id = box.id
  JOIN mailstore_device d ON d.id = s.device_id
 WHERE {_PERCENT} >= {KEEPS_PERCENT} AND box.removed_at IS NULL
   AND {takes_mail()} IS NOT TRUE
   AND d.revoked_at IS NULL AND d.mode <> 'peek'
   AND s.started_at > %(now)s - interval '{KEEPS_DAYS} days' AND s.started_at <= %(now)s
 GROUP BY box.id, s.device_id
HAVING sum(s.fetched_messages) > 0 AND sum(s.removed_messages) = 0
"""

_UNENDED = f"""
SELECT s.mailbox_id, s.device_id, jsonb_build_object('sessions', sum(s.sessions)) AS facts
  FROM mailstore_diarysession s
 WHERE {_LATELY} AND {_KNOWN} AND s.ended IN ('quit', 'lost', 'idle')
 GROUP BY s.mailbox_id, s.device_id
HAVING sum(s.sessions) >= {UNENDED_SESSIONS} AND count(*) FILTER (WHERE s.ended = 'quit') = 0
       AND NOT ({_DELETES_IN_VAIN})
"""

_UNDONE = f"""
SELECT s.mailbox_id, s.device_id,
       jsonb_build_object('sessions', count(*) FILTER (WHERE s.unremoved_messages > 0)) AS facts
  FROM mailstore_diarysession s
 WHERE {_LATELY} AND {_KNOWN}
 GROUP BY s.mailbox_id, s.device_id
HAVING {_DELETES_IN_VAIN}
"""

# A program that ends at the same message each time, while there are others in view that it does not fetch: it has them,
# or never gets to them. The longest line is kept once it is known: it takes a reading of the body.
_STOPPED = f"""
SELECT ends.mailbox_id, ends.device_id,
       jsonb_build_object(
           'sessions', ends.sessions, 'message', m.id, 'octets', m.octets, 'arrived_at', m.arrived_at,
           'line_octets', (SELECT f.facts -> 'line_octets' FROM mailstore_finding f
                            WHERE f.device_id = ends.device_id AND f.kind = '{Finding.Kind.STOPPED}'
                              AND f.facts -> 'message' = to_jsonb(m.id))) AS facts
  FROM (SELECT s.mailbox_id, s.device_id, upper(s.fetched) - 1 AS added, sum(s.sessions) AS sessions,
               min(s.started_at) AS first_at
          FROM mailstore_diarysession s
         WHERE {_LATELY} AND {_KNOWN} AND s.fetched_messages > 0 AND s.fetched_messages < s.listed
           AND s.ended IN ('lost', 'idle')
         GROUP BY s.mailbox_id, s.device_id, upper(s.fetched)
        HAVING sum(s.sessions) >= {STOPPED_SESSIONS}
               AND max(s.started_at) - min(s.started_at) >= interval '{STOPPED_HOURS} hours') AS ends
  JOIN mailstore_message m ON m.mailbox_id = ends.mailbox_id AND m.added = ends.added AND m.removed IS NULL
 WHERE NOT EXISTS (
       SELECT FROM mailstore_diarysession s
        WHERE s.mailbox_id = ends.mailbox_id AND s.device_id = ends.device_id AND {_LATELY}
          AND s.started_at > ends.first_at AND s.fetched_messages > 0
          AND (s.ended = 'quit' OR upper(s.fetched) - 1 <> ends.added))
"""

_PREVIOUS = f"""
SELECT s.mailbox_id, NULL::bigint AS device_id,
       jsonb_build_object('times', sum(s.sessions), 'client', host((array_agg(s.client ORDER BY s.ended_at DESC))[1]))
       AS facts
  FROM mailstore_diarysession s
 WHERE {_LATELY} AND s.ended = 'previous'
 GROUP BY s.mailbox_id
"""

# A name that several mailboxes share is told only to those whose owners signed in from that network.
_BARE = f"""
SELECT box.id AS mailbox_id, NULL::bigint AS device_id,
       jsonb_build_object('name', rn.name, 'address', u.address, 'times', sum(rn.tries),
                          'network', (array_agg(rn.network ORDER BY rn.last_at DESC))[1]) AS facts
  FROM mailstore_refusedname rn
  JOIN mailstore_user u ON split_part(u.address, '@', 1) = rn.name
  JOIN mailstore_mailbox box ON box.user_id = u.id AND box.removed_at IS NULL
 WHERE rn.reason = 'unknown' AND rn.protocol IN ('pop3', 'smtp') AND rn.name <> '' AND strpos(rn.name, '@') = 0
   AND rn.last_at > %(now)s - interval '{WINDOW_DAYS} days' AND rn.last_at <= %(now)s
   AND (NOT EXISTS (
            SELECT FROM mailstore_user u_other JOIN mailstore_mailbox box_other ON box_other.user_id = u_other.id
             WHERE split_part(u_other.address, '@', 1) = rn.name AND u_other.id <> u.id
               AND box_other.removed_at IS NULL)
        OR EXISTS (
            SELECT FROM mailstore_knownnetwork k
             WHERE k.user_id = u.id AND k.network = rn.network
               AND k.seen_at > %(now)s - interval '{KNOWN_DAYS} days'))
 GROUP BY box.id, rn.name, u.address
"""

_LIMIT = f"""
SELECT sb.mailbox_id, NULL::bigint AS device_id,
       jsonb_build_object('times', sb.refused, 'by_domain', sb.by_domain) AS facts
  FROM mailstore_sendingbudget sb
 WHERE sb.mailbox_id IS NOT NULL
   AND sb.refused_at > %(now)s - interval '{WINDOW_DAYS} days' AND sb.refused_at <= %(now)s
"""

DETECTORS: dict[str, str] = {
    Finding.Kind.AGAIN: _REFETCH,
    Finding.Kind.SHARED: _SHARED,
    Finding.Kind.HASTY: _HASTY,
    Finding.Kind.KEEPS: _KEEPS,
    Finding.Kind.UNENDED: _UNENDED,
    Finding.Kind.UNDONE: _UNDONE,
    Finding.Kind.STOPPED: _STOPPED,
    Finding.Kind.PREVIOUS: _PREVIOUS,
    Finding.Kind.BARE: _BARE,
    Finding.Kind.LIMIT: _LIMIT,
}

_SEEN = """
SELECT found.* FROM ({detector}) AS found
  JOIN mailstore_mailbox box ON box.id = found.mailbox_id
  LEFT JOIN mailstore_device d ON d.id = found.device_id
 WHERE (found.device_id IS NULL OR d.revoked_at IS NULL){unless}
"""
# A program that stops at a message does these too, but only because of that message.
_BY_STOPPING = frozenset({Finding.Kind.AGAIN, Finding.Kind.UNENDED, Finding.Kind.UNDONE})
_NOT_STOPPED = f" AND found.device_id NOT IN (SELECT device_id FROM ({_STOPPED}) AS stopped)"

# A known finding keeps its `since`, one that is over is deleted, a new one is added. The sweep's lease allows only one
# writer.
_KEEP = """
WITH seen AS MATERIALIZED ({seen}),
known AS (
    UPDATE mailstore_finding f SET facts = seen.facts
      FROM seen
     WHERE f.kind = %(kind)s AND f.mailbox_id = seen.mailbox_id AND f.device_id IS NOT DISTINCT FROM seen.device_id),
gone AS (
    DELETE FROM mailstore_finding f
     WHERE f.kind = %(kind)s AND NOT EXISTS (
           SELECT FROM seen
            WHERE seen.mailbox_id = f.mailbox_id AND seen.device_id IS NOT DISTINCT FROM f.device_id)),
fresh AS (
    INSERT INTO mailstore_finding (mailbox_id, device_id, kind, since, facts)
    SELECT seen.mailbox_id, seen.device_id, %(kind)s, %(now)s, seen.facts
      FROM seen
     WHERE NOT EXISTS (
           SELECT FROM mailstore_finding f
            WHERE f.kind = %(kind)s AND f.mailbox_id = seen.mailbox_id
              AND f.device_id IS NOT DISTINCT FROM seen.device_id))
SELECT count(*) FROM seen
"""


def detect(now: datetime) -> int:
    """Bring the findings of every mailbox up to date; return how many there are."""
    return sum(_fetch_count(_KEEP.format(seen=_seen(kind)), kind, now) for kind in DETECTORS)


def count(now: datetime) -> int:
    """Return how many findings `detect` would keep, and write nothing."""
    return sum(_fetch_count(f"SELECT count(*) FROM ({_seen(kind)}) AS seen", kind, now) for kind in DETECTORS)


def _seen(kind: str) -> str:
    return _SEEN.format(detector=DETECTORS[kind], unless=_NOT_STOPPED if kind in _BY_STOPPING else "")


def _fetch_count(statement: str, kind: str, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"kind": kind, "now": now})
        (count,) = cursor.fetchone()
    return int(count)


def _counts(context: SweepContext) -> tuple[int]:
    return (count(context.now),)


def _act(context: SweepContext) -> tuple[int]:
    if context.stop():
        return (0,)
    number = detect(context.now)
    stopping_message.measure(context)
    return (number,)


FINDINGS = Step(("findings",), _counts, _act)
