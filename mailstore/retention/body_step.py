"""The steps that destroy what no message needs in the body store: drafts, quarantine, unreferenced bodies.

- DRAFTS destroys what dead deliveries left. It is the first step, since it fails at once if the store is away.
- QUARANTINE destroys bodies that a repair set aside long ago. Those with a row stay for fsck to bring them back.
- UNREFERENCED destroys bodies that no message has referred to for a day. It removes the files before it commits the
  deletion of the rows. If that is cut short, the rows are left, and the next pass takes them up again.

A body that cannot be removed stays for the next pass, with its row. The log names it, and the step goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.db import connection, transaction

from mailstore.errors import BodyUnreadable
from mailstore.ports.bodies import BodyStore, QuarantinedBody
from mailstore.retention import body_census, store_tie
from mailstore.sql.sweep_step import BATCH_ROWS, Step, SweepContext

DRAFT_SECONDS = 24 * 3600  # no delivery takes so long
NAMED_MOST = 10  # bodies that cannot be removed, in the log of one step; it counts the others


log = logging.getLogger("popadmin.sweep")


class _Remover:
    """Removes bodies for one step, and logs which it could not remove."""

    def __init__(self, store: BodyStore) -> None:
        self._store = store
        self._kept = 0

    def remove(self, name: str) -> bool:
        """Remove a body; return False if this one cannot be removed. Unavailable if the store is away."""
        try:
            self._store.remove(name)
        except BodyUnreadable as error:
            self._note(error)
            return False
        return True

    def finish(self) -> None:
        """Log how many bodies stay that were not named."""
        if self._kept > NAMED_MOST:
            log.error("%d more bodies cannot be removed", self._kept - NAMED_MOST)

    def _note(self, error: BodyUnreadable) -> None:
        self._kept += 1
        if self._kept <= NAMED_MOST:
            log.error("the sweep goes on without it: %s", error)


def _count_drafts(context: SweepContext) -> tuple[int]:
    return (sum(1 for _draft in context.store.litter(DRAFT_SECONDS)),)


def _destroy_drafts(context: SweepContext) -> tuple[int]:
    return (_remove_each(context.store.litter(DRAFT_SECONDS), context),)


def _remove_each(names: Iterator[str], context: SweepContext) -> int:
    """Remove bodies until the pass is told to stop; return how many are gone."""
    remover, count = _Remover(context.store), 0
    for name in names:
        if context.stop():
            break
        count += remover.remove(name)
    remover.finish()
    return count


DRAFTS = Step(("drafts",), _count_drafts, _destroy_drafts)


QUARANTINE_DAYS = 30


def _count_quarantine(context: SweepContext) -> tuple[int]:
    return (sum(1 for _body in _long_in_quarantine(context)),)


def _empty_quarantine(context: SweepContext) -> tuple[int]:
    return (_remove_each((body.name for body in _long_in_quarantine(context)), context),)


def _long_in_quarantine(context: SweepContext) -> Iterator[QuarantinedBody]:
    """Yield what may be destroyed. Nothing, if the store belongs to another database, whose rows we do not know."""
    for bodies in body_census.in_quarantine_without_row(context.store, QUARANTINE_DAYS):
        if store_tie.wrong(context.store, body_census.sample(context.store, store_tie.SAMPLE_BODIES)) is not None:
            return
        yield from bodies


QUARANTINE = Step(("quarantined",), _count_quarantine, _empty_quarantine)


# The body of several recipients is unreferenced until their messages are written; a day later that is over.
_LONG = "unreferenced_at < %(now)s - interval '1 day'"
_DUE = f"""
SELECT id FROM mailstore_body WHERE {_LONG} AND id > %(after)s ORDER BY id LIMIT {BATCH_ROWS} FOR UPDATE SKIP LOCKED
"""
_REFERENCED = "EXISTS (SELECT FROM mailstore_message WHERE body_id = mailstore_body.id)"
_KEEP = f"UPDATE mailstore_body SET unreferenced_at = NULL WHERE id = ANY(%(bodies)s) AND {_REFERENCED}"
# The rows are locked, so no message can begin to refer to one of them.
_DESTROYABLE = f"SELECT id, key, wire_octets FROM mailstore_body WHERE id = ANY(%(bodies)s) AND NOT {_REFERENCED}"
_DELETE = "DELETE FROM mailstore_body WHERE id = ANY(%(bodies)s)"
_COUNT = f"""
SELECT count(*), coalesce(sum(wire_octets), 0)::bigint FROM mailstore_body WHERE {_LONG} AND NOT {_REFERENCED}
"""


def _counts(context: SweepContext) -> tuple[int, int]:
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
    remover = _Remover(context.store)
    after: int | None = 0
    while after is not None and not context.stop():
        after, gone = _batch(after, context, remover)
        yield from gone
    remover.finish()


@transaction.atomic
def _batch(after: int, context: SweepContext, remover: _Remover) -> tuple[int | None, list[int]]:
    """Destroy a batch of bodies; return its last id (None: no more), and the octets of each that is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"after": after, "now": context.now})
        due = [key for (key,) in cursor.fetchall()]
        if not due:
            return None, []
        cursor.execute(_KEEP, {"bodies": due})
        cursor.execute(_DESTROYABLE, {"bodies": due})
        gone = [(body, octets) for body, key, octets in cursor.fetchall() if remover.remove(key)]
        cursor.execute(_DELETE, {"bodies": [body for body, _octets in gone]})
    return due[-1], [octets for _body, octets in gone]


UNREFERENCED = Step(("bodies", "body_octets"), _counts, _act)
