"""Destroys bodies that nobody has had for a day.

The files go before the transaction that takes their rows away is over: where it is cut short, rows are left that no
message refers to, and the next pass takes them up again.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, transaction

from mailstore.sql.sweep_step import BATCH_ROWS, Step, SweepContext

# A body that several recipients share is born unreferenced; the pass a day later sees who took it.
_LONG = "unreferenced_at < %(now)s - interval '1 day'"
_DUE = f"""
SELECT id FROM mailstore_body WHERE {_LONG} AND id > %(after)s ORDER BY id LIMIT {BATCH_ROWS} FOR UPDATE SKIP LOCKED
"""
_REFERENCED = "EXISTS (SELECT FROM mailstore_message WHERE body_id = mailstore_body.id)"
_KEEP = f"UPDATE mailstore_body SET unreferenced_at = NULL WHERE id = ANY(%(bodies)s) AND {_REFERENCED}"
_DESTROY = f"""
DELETE FROM mailstore_body WHERE id = ANY(%(bodies)s) AND NOT {_REFERENCED} RETURNING key, wire_octets
"""
_COUNT = f"""
SELECT count(*), coalesce(sum(wire_octets), 0)::bigint FROM mailstore_body WHERE {_LONG} AND NOT {_REFERENCED}
"""


def _look(round: SweepContext) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"now": round.now})
        bodies, octets = cursor.fetchone()
    return bodies, octets


def _act(round: SweepContext) -> tuple[int, int]:
    bodies = octets = 0
    for size in _destroyed(round):
        bodies += 1
        octets += size
    return bodies, octets


def _destroyed(round: SweepContext) -> Iterator[int]:
    """Yield the octets of each body that is gone."""
    after: int | None = 0
    while after is not None and not round.stop():
        after, gone = _batch(after, round)
        yield from gone


@transaction.atomic
def _batch(after: int, round: SweepContext) -> tuple[int | None, list[int]]:
    """Destroy a batch of bodies; returns the last id seen (None: no more), and the octets of each that is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"after": after, "now": round.now})
        due = [key for (key,) in cursor.fetchall()]
        if not due:
            return None, []
        cursor.execute(_KEEP, {"bodies": due})
        cursor.execute(_DESTROY, {"bodies": due})
        gone = cursor.fetchall()
    for key, _octets in gone:
        round.store.remove(key)
    return due[-1], [octets for _key, octets in gone]


UNCLAIMED = Step(("bodies", "body_octets"), _look, _act)
