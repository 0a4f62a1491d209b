"""The figures that the menu of admins shows on every page, in one statement. It reads no message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from mailstore.models import AuditEntry, User

UNDER_WAY = timedelta(seconds=3)  # from an entry of the audit to its commit: no step is longer
CROWD_DAYS, CROWD_AGE = 3, timedelta(days=1)  # refused on so many days in a row, and within the last one
REPORT_AGE = timedelta(minutes=2)  # of what a listener serves: four reports that did not come
BUSY_MINUTES = 10  # an import or an operation that is younger may still be in somebody's hands

# The conditions are those of `popadmin.panel.usage_filters`, and near a cap is nine tenths of it. `box` passes over all
# mailboxes.
_FIGURES = """
WITH own AS MATERIALIZED (
    SELECT dom.id FROM mailstore_domain dom
     WHERE dom.removed_at IS NULL
       AND (%(host)s OR EXISTS (SELECT FROM mailstore_domaingrant dg
                                 WHERE dg.domain_id = dom.id AND dg.user_id = %(user)s))),
box AS MATERIALIZED (
    SELECT box.domain_id, count(*) AS boxes, sum(box.octets) AS octets, sum(box.quota_octets) AS allotted,
           count(*) FILTER (WHERE box.octets >= box.quota_octets OR box.messages >= box.quota_messages) AS full_boxes,
           count(*) FILTER (WHERE box.octets >= box.quota_octets - box.quota_octets / 100 * 10
                               OR box.messages >= box.quota_messages * 90 / 100) AS near_boxes
      FROM mailstore_mailbox box
     WHERE box.removed_at IS NULL AND (%(host)s OR box.domain_id = ANY(ARRAY(SELECT own.id FROM own)))
     GROUP BY box.domain_id),
room AS (
    SELECT box.octets >= dom.quota_octets AS is_full, box.octets * 10 >= dom.quota_octets * 9 AS is_near,
           box.boxes * 10 >= dom.mailbox_limit * 9
           OR (box.allotted > 0 AND box.allotted * 10 >= dom.allotment_octets * 9)
           OR (had.aliases > 0 AND had.aliases * 10 >= dom.alias_limit * 9) AS is_capped
      FROM own
      JOIN mailstore_domain dom ON dom.id = own.id
      LEFT JOIN box ON box.domain_id = own.id
     CROSS JOIN LATERAL (SELECT CASE WHEN dom.alias_limit IS NOT NULL THEN (
           SELECT count(*) FROM mailstore_alias a
            WHERE a.domain_id = dom.id AND a.mailbox_id IS NULL) END) AS had (aliases)
     WHERE dom.quota_octets IS NOT NULL OR dom.mailbox_limit IS NOT NULL
        OR dom.alias_limit IS NOT NULL OR dom.allotment_octets IS NOT NULL)
SELECT (SELECT coalesce(sum(box.boxes), 0) FROM box)::bigint,
       (SELECT count(*) FROM mailstore_alias a JOIN own ON own.id = a.domain_id
         WHERE NOT EXISTS (SELECT FROM mailstore_mailbox box
                            WHERE box.id = a.mailbox_id AND box.removed_at IS NOT NULL)),
       (SELECT coalesce(sum(box.full_boxes), 0) FROM box)::bigint,
       (SELECT coalesce(sum(box.near_boxes), 0) FROM box)::bigint,
       (SELECT count(*) FROM room WHERE room.is_full),
       (SELECT count(*) FROM room WHERE room.is_near AND NOT room.is_full),
       (SELECT count(*) FROM room WHERE room.is_capped),
       now(),
       (SELECT count(*) FROM own),
       (SELECT count(*) FROM mailstore_retentionpolicy p
         WHERE %(host)s OR p.site OR p.offered
            OR EXISTS (SELECT FROM mailstore_domain dom JOIN own ON own.id = dom.id WHERE dom.policy_id = p.id)
            OR EXISTS (SELECT FROM mailstore_mailbox box JOIN own ON own.id = box.domain_id
                        WHERE box.policy_id = p.id)),
       CASE WHEN %(host)s THEN (SELECT count(*) FROM (
           SELECT u.id FROM mailstore_user u WHERE u.role = 'admin'
            UNION SELECT dg.user_id FROM mailstore_domaingrant dg) AS admins) ELSE 0 END,
       ARRAY(SELECT DISTINCT f.kind FROM mailstore_finding f JOIN mailstore_mailbox box ON box.id = f.mailbox_id
              WHERE box.removed_at IS NULL AND (%(host)s OR box.domain_id = ANY(ARRAY(SELECT own.id FROM own)))),
       %(host)s AND EXISTS (SELECT FROM mailstore_body b
                             WHERE b.damaged_at IS NOT NULL
                               AND EXISTS (SELECT FROM mailstore_message m WHERE m.body_id = b.id)),
       (SELECT count(*) FROM mailstore_mailboximport mi
         WHERE mi.owner_id = %(user)s AND mi.stage <> 'done'
           AND mi.created_at < now() - make_interval(mins => %(busy_minutes)s)),
       (SELECT count(*) FROM mailstore_job jb
         WHERE jb.owner_id = %(user)s AND jb.stage IN ('running', 'undoing')
           AND jb.created_at < now() - make_interval(mins => %(busy_minutes)s)),
       ARRAY(SELECT hb.part::text FROM mailstore_heartbeat hb ORDER BY hb.part),
       ARRAY(SELECT hb.seen_at FROM mailstore_heartbeat hb ORDER BY hb.part),
       (SELECT sp.ended_at FROM mailstore_sweeppass sp ORDER BY sp.id DESC LIMIT 1),
       ARRAY(SELECT lc.certificates::text FROM mailstore_listenercertificates lc
              WHERE %(host)s AND lc.seen_at > now() - %(report_age)s ORDER BY lc.listener),
       ARRAY(SELECT rn.network::text FROM mailstore_refusedname rn
              WHERE %(host)s AND rn.last_at > now() - %(crowd_age)s AND rn.reason = 'connections'
                AND rn.days >= %(crowd_days)s AND rn.network <> '' ORDER BY rn.tries DESC, rn.id),
       (SELECT to_jsonb(mf)::text FROM mailstore_mailflow mf WHERE %(host)s LIMIT 1)
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a pass over all mailboxes counts. `near` includes the full ones, `near_domains` does not."""

    mailboxes: int
    aliases: int
    full: int
    near: int
    full_domains: int
    near_domains: int
    capped_domains: int


@dataclass(frozen=True, slots=True)
class SiteFigures:
    """What a user sees of the site, in numbers. `imports` and `jobs` are the user's own that wait.

    `heartbeats` says when each part was seen last, and `swept_at` when the last pass of the sweep ended.
    `certificate_reports` are what each listener serves, as JSON. `crowded` are the networks in which an
    address has too many connections day after day. `mail_flow` is the row of that name, as JSON; None if there is none.
    """

    counted_at: datetime
    counts: Counts
    domains: int
    policies: int
    admins: int
    finding_kinds: tuple[str, ...]
    damaged: bool
    imports: int
    jobs: int
    heartbeats: Mapping[str, datetime]
    swept_at: datetime | None
    certificate_reports: tuple[str, ...]
    crowded: tuple[str, ...]
    mail_flow: str | None


def read(user: User) -> SiteFigures:
    """Return the figures of the whole site for a hosting admin, else those of the domains that the user administers."""
    parameters: dict[str, Any] = {
        "host": user.role == User.Role.ADMIN,
        "user": user.pk,
        "busy_minutes": BUSY_MINUTES,
        "report_age": REPORT_AGE,
        "crowd_age": CROWD_AGE,
        "crowd_days": CROWD_DAYS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, parameters)
        row = cursor.fetchone()
    counts, (counted_at, domains, policies, admins, kinds, damaged, imports, jobs, parts, seen, swept_at, *others) = (
        row[:7],
        row[7:],
    )
    reports, crowded, mail_flow = others
    return SiteFigures(
        counted_at=counted_at,
        counts=Counts(*counts),
        domains=domains,
        policies=policies,
        admins=admins,
        finding_kinds=tuple(kinds),
        damaged=damaged,
        imports=imports,
        jobs=jobs,
        heartbeats=dict(zip(parts, seen, strict=True)),
        swept_at=swept_at,
        certificate_reports=tuple(reports),
        crowded=tuple(crowded),
        mail_flow=mail_flow,
    )


def is_changed(figures: SiteFigures) -> bool:
    """Return whether somebody has changed something since the figures were counted."""
    return AuditEntry.objects.filter(at__gt=figures.counted_at - UNDER_WAY).exists()
