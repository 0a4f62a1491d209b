"""What the parts of the site did last, and how busy the database is. One statement, for the pages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

# The newest body was stored by a delivery, an import or a notice. The last pass counts what it moved to recovery.
_ACTIVITY = """
SELECT (SELECT b.created_at FROM mailstore_body b ORDER BY b.id DESC LIMIT 1), swept.ended_at, swept.figures::text,
       (SELECT sum(s.numbackends) FROM pg_stat_database s)::bigint, current_setting('max_connections')::bigint
  FROM (SELECT) AS one LEFT JOIN LATERAL (
       SELECT sp.ended_at, sp.figures FROM mailstore_sweeppass sp ORDER BY sp.id DESC LIMIT 1) AS swept ON true
"""
_MOVED = ("expired", "relieved", "settled")  # the counts of a pass that say what went to recovery


@dataclass(frozen=True, slots=True)
class SweepSummary:
    """The last pass: messages that it moved to recovery, and messages that it deleted for good."""

    ended_at: datetime
    removed: int
    purged: int


@dataclass(frozen=True, slots=True)
class SiteActivity:
    stored_at: datetime | None  # when the last message was stored
    sweep: SweepSummary | None
    connections: int
    connections_most: int


def read() -> SiteActivity:
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVITY)
        stored_at, ended_at, figures, connections, most = cursor.fetchone()
    sweep = None if ended_at is None else _summary(ended_at, json.loads(figures))
    return SiteActivity(stored_at, sweep, connections, most)


def _summary(ended_at: datetime, figures: dict[str, int]) -> SweepSummary:
    return SweepSummary(ended_at, sum(figures.get(name, 0) for name in _MOVED), figures.get("messages", 0))
