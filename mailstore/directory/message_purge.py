"""Destroy message rows and release their bodies. The callers (removal, sweep) decide when."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from mailstore.sql.statements.removal import last_made_here, later
from mailstore.sql.tables import REAL, Tables

# Two statements, for live and for removed rows: each index of the table holds only one of these kinds.
_DESTROY_OF_MAILBOX = (
    "DELETE FROM mailstore_message WHERE mailbox_id = %(mailbox)s AND removed IS NULL",
    "DELETE FROM mailstore_message WHERE mailbox_id = %(mailbox)s AND removed IS NOT NULL",
)
_BODIES_OF_MAILBOX = """
        SELECT body_id FROM mailstore_message WHERE mailbox_id = %(mailbox)s AND removed IS NULL
         UNION ALL
        SELECT body_id FROM mailstore_message WHERE mailbox_id = %(mailbox)s AND removed IS NOT NULL"""
_DESTROY_DIARY = "DELETE FROM mailstore_diarysession WHERE mailbox_id = %(mailbox)s"


def messages(keys: Sequence[int], tables: Tables = REAL) -> int:
    """Destroy the rows with these primary keys, which rest in recovery or have lost their mailbox. Returns how many.

    Call it inside a transaction that has locked the mailbox's row.
    """
    bodies = f"SELECT body_id FROM {tables.message} WHERE id = ANY(%(messages)s)"
    return _purge(bodies, (_destroying(tables),), {"messages": list(keys)}, tables)


def mailbox(key: int) -> int:
    """Destroy every message of a mailbox whose row the caller has locked, and its diary. Returns how many messages."""
    with connection.cursor() as cursor:
        cursor.execute(_DESTROY_DIARY, {"mailbox": key})
    return _purge(_BODIES_OF_MAILBOX, _DESTROY_OF_MAILBOX, {"mailbox": key}, REAL)


def _purge(bodies: str, destroy: Sequence[str], which: dict[str, int | list[int]], tables: Tables) -> int:
    destroyed = 0
    with connection.cursor() as cursor:
        cursor.execute(_locking(bodies, tables), which)
        (locked,) = cursor.fetchone()
        for statement in destroy:
            cursor.execute(statement, which)
            destroyed += cursor.rowcount
        cursor.execute(_releasing(tables), {"bodies": locked})
    return destroyed


def _locking(bodies: str, tables: Tables) -> str:
    """Return SQL that locks bodies in one order, so that two purges that share some wait and do not block each other.

    Only then can the second see that the first has destroyed the other row. `bodies` is SQL that selects their keys.
    """
    return f"""
SELECT coalesce(array_agg(id), '{{}}')
  FROM (SELECT id FROM {tables.body} WHERE id IN ({bodies}) ORDER BY id FOR UPDATE) AS locked
"""


def _destroying(tables: Tables) -> str:
    """Return SQL that destroys messages: it counts off what rested, and notes its UIDL as spent.

    A message that has lost its mailbox has nothing to count off.
    """
    return f"""
WITH gone AS (DELETE FROM {tables.message} WHERE id = ANY(%(messages)s) RETURNING mailbox_id, octets, removed, uidl),
stays AS (DELETE FROM {tables.earlier_stay} WHERE message_id = ANY(%(messages)s)),
rested AS (
    SELECT mailbox_id, count(*) AS messages, sum(octets) AS octets, {last_made_here("uidl")} AS uidl
      FROM gone WHERE removed IS NOT NULL GROUP BY mailbox_id),
counted AS (
    UPDATE {tables.mailbox} box
       SET recovery_messages = box.recovery_messages - rested.messages,
           recovery_octets = box.recovery_octets - rested.octets,
           spent_uidl = {later("box.spent_uidl", "rested.uidl")}
      FROM rested WHERE box.id = rested.mailbox_id)
SELECT FROM gone
"""


def _releasing(tables: Tables) -> str:
    """Return SQL that marks the bodies that no message has any more."""
    return f"""
UPDATE {tables.body} b SET unreferenced_at = now()
 WHERE b.id = ANY(%(bodies)s) AND NOT EXISTS (SELECT FROM {tables.message} m WHERE m.body_id = b.id)
"""
