"""Destroys message rows and lets go of their bodies; when that is right, the callers decide (removal, sweep)."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from mailstore.sql.statements.removal import last_made_here, later

# Bodies are locked in one order, so that two purges that share some wait instead of blocking each other; only then can
# the second see that the first has taken the other row away.
_LOCK_BODIES = """
SELECT coalesce(array_agg(id), '{{}}') FROM (
    SELECT id FROM mailstore_body
    WHERE id IN ({bodies})
    ORDER BY id FOR UPDATE
) AS locked
"""
_LOCK_BODIES_OF_MESSAGES = _LOCK_BODIES.format(
    bodies="SELECT body_id FROM mailstore_message WHERE id = ANY(%(messages)s)"
)
# Live and removed rows are asked for apart: each of the table's indexes holds only one kind.
_LOCK_BODIES_OF_MAILBOX = _LOCK_BODIES.format(
    bodies="""
        SELECT body_id FROM mailstore_message WHERE mailbox_id = %(mailbox)s AND removed IS NULL
         UNION ALL
        SELECT body_id FROM mailstore_message WHERE mailbox_id = %(mailbox)s AND removed IS NOT NULL"""
)
# What rested is counted off in the statement that destroys it, and its UIDL is noted as spent; an orphan's mailbox is
# gone.
_DESTROY = (
    f"""
WITH gone AS (DELETE FROM mailstore_message WHERE id = ANY(%(messages)s) RETURNING mailbox_id, octets, removed, uidl),
stays AS (DELETE FROM mailstore_earlierstay WHERE message_id = ANY(%(messages)s)),
rested AS (
    SELECT mailbox_id, count(*) AS messages, sum(octets) AS octets, {last_made_here("uidl")} AS uidl
      FROM gone WHERE removed IS NOT NULL GROUP BY mailbox_id),
counted AS (
    UPDATE mailstore_mailbox box
       SET recovery_messages = box.recovery_messages - rested.messages,
           recovery_octets = box.recovery_octets - rested.octets,
           spent_uidl = {later("box.spent_uidl", "rested.uidl")}
      FROM rested WHERE box.id = rested.mailbox_id)
SELECT FROM gone
""",
)
_DESTROY_OF_MAILBOX = (
    "DELETE FROM mailstore_message WHERE mailbox_id = %(mailbox)s AND removed IS NULL",
    "DELETE FROM mailstore_message WHERE mailbox_id = %(mailbox)s AND removed IS NOT NULL",
)
_DESTROY_DIARY = "DELETE FROM mailstore_diarysession WHERE mailbox_id = %(mailbox)s"
_LET_GO = """
UPDATE mailstore_body SET unreferenced_at = now()
WHERE id = ANY(%(bodies)s) AND NOT EXISTS (SELECT FROM mailstore_message WHERE body_id = mailstore_body.id)
"""


def messages(keys: Sequence[int]) -> int:
    """Destroy the rows with these primary keys, which rest in recovery or have lost their mailbox. Returns how many.

    Called inside a transaction; the mailbox's row is locked.
    """
    return _purge(_LOCK_BODIES_OF_MESSAGES, _DESTROY, {"messages": list(keys)})


def mailbox(key: int) -> int:
    """Destroy every message of a mailbox whose row the caller has locked, and its diary. Returns how many messages."""
    with connection.cursor() as cursor:
        cursor.execute(_DESTROY_DIARY, {"mailbox": key})
    return _purge(_LOCK_BODIES_OF_MAILBOX, _DESTROY_OF_MAILBOX, {"mailbox": key})


def _purge(lock: str, destroy: Sequence[str], which: dict[str, int | list[int]]) -> int:
    destroyed = 0
    with connection.cursor() as cursor:
        cursor.execute(lock, which)
        (bodies,) = cursor.fetchone()
        for statement in destroy:
            cursor.execute(statement, which)
            destroyed += cursor.rowcount
        cursor.execute(_LET_GO, {"bodies": bodies})
    return destroyed
