"""Two passes at once are one: whoever comes second is told so. The lease is the connection's, so a death ends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.utils.translation import gettext as _

from mailstore.directory.outcome import Rejected

_KEY = "hashtext('mailstore_sweep')"


@contextmanager
def lease() -> Iterator[None]:
    """Hold the lease of the sweep; Rejected while anybody on this database holds it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({_KEY})")
        (had,) = cursor.fetchone()
    if not had:
        raise Rejected(_("another sweep is running"))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_unlock({_KEY})")
