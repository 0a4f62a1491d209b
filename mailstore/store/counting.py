"""What follows when a device counts no more: mail that waited for it alone leaves. Who counts, `statements` says."""

from __future__ import annotations

from django.db import connection

from mailstore.store.statements.leaving import SETTLE


def settle(mailbox: int) -> int:
    """Remove what every device that still counts has deleted, into recovery; returns how many messages.

    Called behind the change that ended a device's count, in its transaction, with the mailbox's row locked. The
    counters and the change number of a row in memory are old after it.
    """
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, {"mailbox": mailbox})
        removed: int = cursor.fetchone()[0]
    return removed
