"""Mailboxes by their keys, some at a time: a pass over all of them needs no memory and no long statement."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from mailstore.sql.sweep_step import SweepContext

WINDOW_MAILBOXES = 1000
_WINDOW = f"SELECT id FROM {{mailbox}} WHERE id > %(after)s ORDER BY id LIMIT {WINDOW_MAILBOXES}"


def windows(round: SweepContext) -> Iterator[list[int]]:
    """Yield the keys of all mailboxes in order, until the pass is told to stop."""
    after = 0
    while not round.stop():
        with connection.cursor() as cursor:
            cursor.execute(_WINDOW.format(mailbox=round.tables.mailbox), {"after": after})
            keys = [key for (key,) in cursor.fetchall()]
        if not keys:
            return
        yield keys
        after = keys[-1]
