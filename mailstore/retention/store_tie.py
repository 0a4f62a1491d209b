"""The tie of a body store to its database: an id that stands in both. The step STORE_TIE writes it.

It writes the id if one of them has none yet, and the bodies show that both belong together. So it is for a new store,
a store from before there were ids, and a database that was restored from a time before its store had an id.
"""

from __future__ import annotations

import logging

from mailstore.delivery.message_writer import fresh_id
from mailstore.models import StoreTie
from mailstore.ports import BodyStore
from mailstore.retention import body_census
from mailstore.retention.body_census import Census
from mailstore.sql.sweep_step import Step, SweepContext

log = logging.getLogger("popadmin.sweep")

SAMPLE_BODIES = 2000
REMEDY = (
    "set DATABASE_URL and MAIL_STORE_URL to what belongs together. Where both are right, fsck --adopt brings its "
    "bodies back as mail; where all are known, remove the file popadmin-store-id, and the next sweep ties the store"
)


def settle(store: BodyStore) -> str | None:
    """Tie the store to the database if neither is tied to another; return what is wrong, in words, or None."""
    database_id, store_id = _ids(store)
    if database_id is not None and database_id == store_id:
        return None
    found = body_census.sample(store, SAMPLE_BODIES)
    fault = _wrong(database_id, store_id, found)
    if fault is None and found.is_ours():
        _tie(store, database_id, store_id)
    return fault


def wrong(store: BodyStore, found: Census) -> str | None:
    """Return why the store seems to belong to another database, in words; None if it does not. Changes nothing."""
    return _wrong(*_ids(store), found)


def _ids(store: BodyStore) -> tuple[str | None, str | None]:
    return StoreTie.objects.values_list("store_id", flat=True).first(), store.store_id()


def _wrong(database_id: str | None, store_id: str | None, found: Census) -> str | None:
    if store_id is None or database_id == store_id:
        return None
    if database_id is not None:
        return f"the store is {store_id}, but the one of this database is {database_id}: {REMEDY}"
    if found.is_ours():
        return None
    return (
        f"the store is {store_id}, and this database knows {found.known} of its bodies, not {found.unknown}: {REMEDY}"
    )


def _tie(store: BodyStore, database_id: str | None, store_id: str | None) -> None:
    """Write the missing id. The row comes first, so that it never lacks the id of a store that has one."""
    if database_id is None:
        made = StoreTie.objects.get_or_create(pk=1, defaults={"store_id": store_id or fresh_id()})
        database_id = made[0].store_id
    if store_id is None:
        store.set_store_id(database_id)


def _counts(_context: SweepContext) -> tuple[()]:
    return ()


def _act(context: SweepContext) -> tuple[()]:
    fault = settle(context.store)
    if fault is not None:
        log.error("the body store belongs to another database: %s", fault)
    return ()


STORE_TIE = Step((), _counts, _act)
