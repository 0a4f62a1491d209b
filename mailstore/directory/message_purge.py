"""Destroy message rows and release their bodies. The callers (removal, sweep) decide when."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from mailstore.sql.django_statement import django_statement
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
_DESTROY_RECORDS = (
    "DELETE FROM mailstore_diarysession WHERE mailbox_id = %(mailbox)s",
    "DELETE FROM mailstore_traceentry WHERE mailbox_id = %(mailbox)s",
)


def messages(keys: Sequence[int], tables: Tables = REAL) -> int:
    """Destroy the rows with these primary keys, which rest in recovery or have lost their mailbox. Returns how many.

    Call it inside a transaction that has locked the mailbox's row.
    """
    return _purge(LOCK_BODIES.on(tables), (PURGE.on(tables),), {"messages": list(keys)}, tables)


def mailbox(key: int) -> int:
    """Destroy every message of a mailbox whose row the caller has locked, its diary and its trace.

    Returns how many messages.
    """
    with connection.cursor() as cursor:
        for statement in _DESTROY_RECORDS:
            cursor.execute(statement, {"mailbox": key})
    return _purge(LOCK_BODIES_OF_MAILBOX.sql, _DESTROY_OF_MAILBOX, {"mailbox": key}, REAL)


def _purge(lock: str, destroy: Sequence[str], which: dict[str, int | list[int]], tables: Tables) -> int:
    destroyed = 0
    with connection.cursor() as cursor:
        cursor.execute(lock, which)
        (locked,) = cursor.fetchone()
        for statement in destroy:
            cursor.execute(statement, which)
            destroyed += cursor.rowcount
        cursor.execute(RELEASE_BODIES.on(tables), {"bodies": locked})
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


_BODY_LOCKS = "the bodies' rows, in the order of their keys"
LOCK_BODIES = django_statement(
    "lock_bodies",
    lambda tables: _locking(f"SELECT body_id FROM {tables.message} WHERE id = ANY(%(messages)s)", tables),
    purpose="Locks the bodies of messages that are about to be deleted for good, and returns their keys.",
    caller="directory/message_purge.py",
    parameters={"messages": "the messages, by their keys (bigint[])"},
    locks=_BODY_LOCKS,
    round_trips="1",
)
LOCK_BODIES_OF_MAILBOX = django_statement(
    "lock_bodies_of_mailbox",
    lambda tables: _locking(_BODIES_OF_MAILBOX, tables),
    purpose="Locks the bodies of all messages of a mailbox, and returns their keys.",
    caller="directory/message_purge.py",
    parameters={"mailbox": "the mailbox, which the caller has locked"},
    locks=_BODY_LOCKS,
    round_trips="1",
)
PURGE = django_statement(
    "purge",
    _destroying,
    purpose="""Deletes messages for good, with their earlier stays. Counts them off what is in recovery, and notes
        their UIDLs as spent.""",
    caller="directory/message_purge.py",
    parameters={"messages": "the messages, by their keys (bigint[])"},
    locks="the messages' rows and the mailboxes' rows, which the caller has locked already",
    round_trips="1, behind lock_bodies and before release_bodies",
)
RELEASE_BODIES = django_statement(
    "release_bodies",
    _releasing,
    purpose="Marks bodies that no message has any more. A sweep deletes them a day later.",
    caller="directory/message_purge.py",
    parameters={"bodies": "the bodies that lock_bodies has locked (bigint[])"},
    locks="none but those of lock_bodies",
    round_trips="1",
)
