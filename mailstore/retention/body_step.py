"""The steps that destroy what is in the body store and no message needs: drafts, quarantine, unclaimed bodies.

DRAFTS destroys what dead deliveries left. It is the first step, since it fails at once when the store is away.
QUARANTINE destroys bodies that a repair set aside long ago; those with a row wait for fsck to bring them back.
UNCLAIMED destroys bodies that no message has referred to for a day; the files go before the transaction that deletes
their rows ends. Where that is cut short, rows are left that no message refers to, and the next pass takes them up
again.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, transaction

from mailstore.retention import body_census, store_tie
from mailstore.sql.sweep_step import BATCH_ROWS, Step, SweepContext

DRAFT_SECONDS = 24 * 3600  # no delivery takes so long


def _look_at_drafts(context: SweepContext) -> tuple[int]:
    return (sum(1 for _draft in context.store.litter(DRAFT_SECONDS)),)


def _destroy_drafts(context: SweepContext) -> tuple[int]:
    count = 0
    for name in context.store.litter(DRAFT_SECONDS):
        if context.stop():
            break
        context.store.remove(name)
        count += 1
    return (count,)


DRAFTS = Step(("drafts",), _look_at_drafts, _destroy_drafts)


QUARANTINE_DAYS = 30


def _look_at_quarantine(context: SweepContext) -> tuple[int]:
    return (sum(1 for _name in _long_in_quarantine(context)),)


def _empty_quarantine(context: SweepContext) -> tuple[int]:
    count = 0
    for name in _long_in_quarantine(context):
        if context.stop():
            break
        context.store.remove(name)
        count += 1
    return (count,)


def _long_in_quarantine(context: SweepContext) -> Iterator[str]:
    """Yield what may be destroyed: nothing beside the store of another database, whose rows are not ours to know."""
    for names in body_census.in_quarantine_without_row(context.store, QUARANTINE_DAYS):
        if store_tie.wrong(context.store, body_census.sample(context.store, store_tie.SAMPLE_BODIES)) is not None:
            return
        yield from names


QUARANTINE = Step(("quarantined",), _look_at_quarantine, _empty_quarantine)


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


def _look(context: SweepContext) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"now": context.now})
        bodies, octets = cursor.fetchone()
    return bodies, octets


def _act(context: SweepContext) -> tuple[int, int]:
    bodies = octets = 0
    for size in _destroyed(context):
        bodies += 1
        octets += size
    return bodies, octets


def _destroyed(context: SweepContext) -> Iterator[int]:
    """Yield the octets of each body that is gone."""
    after: int | None = 0
    while after is not None and not context.stop():
        after, gone = _batch(after, context)
        yield from gone


@transaction.atomic
def _batch(after: int, context: SweepContext) -> tuple[int | None, list[int]]:
    """Destroy a batch of bodies; returns the last id seen (None: no more), and the octets of each that is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"after": after, "now": context.now})
        due = [key for (key,) in cursor.fetchall()]
        if not due:
            return None, []
        cursor.execute(_KEEP, {"bodies": due})
        cursor.execute(_DESTROY, {"bodies": due})
        gone = cursor.fetchall()
    for key, _octets in gone:
        context.store.remove(key)
    return due[-1], [octets for _key, octets in gone]


UNCLAIMED = Step(("bodies", "body_octets"), _look, _act)
