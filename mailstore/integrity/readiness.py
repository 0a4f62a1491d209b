"""Check whether mail can be stored and read now, for /readyz and the overview. Leaves one row, a heartbeat."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now

from mailstore import bodies
from mailstore.errors import StorageFull
from mailstore.integrity import heartbeat
from mailstore.messages import damaged_bodies
from mailstore.models import Body, Heartbeat

RECENT_BODIES = 100  # whose files are checked: a command may have written the newest as another user
STATEMENT_SECONDS = 2  # a database that answers slower is not ready; monitors wait some five seconds
TIMEOUT = f"{STATEMENT_SECONDS}s"
WRITE = "ready"  # the heartbeat that tests whether the database takes writes
WRITE_EVERY = timedelta(seconds=20)  # at most so often, however often monitors ask
FREE_OCTETS = 32 * 1024 * 1024  # two segments of Postgres' log: it stops without room for the next one
DISK_FULL = "53100"  # SQLSTATE
# SPILL sorts two megabytes with too little memory. So Postgres writes temporary files to the disk of its data, and
# deletes them at once. It writes no log, leaves no dead rows, and needs only the right to read.
# The statements go in one round trip, and are a transaction.
SPILL = """
    SELECT set_config('statement_timeout', %s, true), set_config('work_mem', '64kB', true),
           set_config('temp_tablespaces', '', true);
    SELECT count(*)
      FROM (SELECT repeat('x', 1000) || n AS text FROM generate_series(1, 2000) n ORDER BY text OFFSET 0) AS sorted
"""


def body_store() -> None:
    """Raise Unavailable or StorageFull when the body store cannot take a body, or its owner cannot read the newest."""
    store = bodies.site_store()
    store.require_usable(_recent_keys())
    store.probe()


def body_disk() -> None:
    """Raise Unavailable or StorageFull when the disk of the body store takes no file. It reads no table."""
    bodies.site_store().probe()


def bodies_are_damaged() -> bool:
    """Return whether the check of all bodies has found a damaged one. False while the database is away."""
    try:
        return damaged_bodies.bodies().exists()
    except (DatabaseError, InterfaceError):
        return False


def database() -> None:
    """Raise DatabaseError when the database is away, slow, or takes no writes."""
    with transaction.atomic():
        _limit_time()
        if not Heartbeat.objects.filter(part=WRITE, seen_at__gt=Now() - WRITE_EVERY).exists():
            heartbeat.beat(WRITE)


def database_disk() -> None:
    """Raise StorageFull when the disk of the database has no room for new rows, wherever the database is."""
    if settings.DATABASE_IS_PRIVATE:
        _require_room(settings.DATA_DIR / "postgres")
    try:
        with connection.cursor() as cursor:
            cursor.execute(SPILL, [TIMEOUT])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != DISK_FULL:
            raise
        raise StorageFull(f"the disk of the database is full: {error}") from error


def _limit_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [TIMEOUT])


def _require_room(folder: Path) -> None:
    if not folder.is_dir():
        return
    state = os.statvfs(folder)
    if state.f_bavail * state.f_frsize < FREE_OCTETS:
        raise StorageFull(f"{folder} has less than {FREE_OCTETS} octets left")


def _recent_keys() -> list[str]:
    """Return the keys of the newest bodies. Empty while the database is away, since another check reports that."""
    try:
        return list(Body.objects.order_by("-pk").values_list("key", flat=True)[:RECENT_BODIES])
    except (DatabaseError, InterfaceError):
        return []
