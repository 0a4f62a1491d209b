"""The SQL by which messages leave the live maildrop and come back: the counters go with them, in one step."""

from __future__ import annotations

from mailstore.pg.statement import statement
from mailstore.policy import sortable_ids
from mailstore.sql.django_statement import django_statement
from mailstore.sql.statements.view import UPDATE_PARAMETERS, WHOLE, counts, may
from mailstore.sql.tables import REAL, Tables


def leaving(gone: str, *, of: str, answer: str, tables: Tables = REAL) -> str:
    """Return SQL: messages leave their mailboxes, and the counters of views that had hidden them, for recovery.

    `gone` is the UPDATE of the messages' rows, which returns mailbox_id, added and octets; `of` says which mailboxes
    are locked, as what stands behind their key (`= :mailbox_id`); `answer` is what the statement selects at its end.
    """
    return f"""
    WITH gone AS ({gone}),
    views AS MATERIALIZED (
        SELECT id, mailbox_id, hidden {WHOLE} AS hidden FROM {tables.device}
         WHERE mailbox_id {of} AND hidden_messages > 0),
    seen AS (
        UPDATE {tables.device} d
           SET hidden_messages = d.hidden_messages - less.messages, hidden_octets = d.hidden_octets - less.octets
          FROM (SELECT views.id, count(*) AS messages, sum(gone.octets) AS octets
                  FROM views JOIN gone ON gone.mailbox_id = views.mailbox_id AND views.hidden @> gone.added
                 GROUP BY views.id) AS less
         WHERE d.id = less.id),
    counted AS (
        UPDATE {tables.mailbox} box
           SET change = box.change + 1, messages = box.messages - sums.messages, octets = box.octets - sums.octets,
               recovery_messages = box.recovery_messages + sums.messages,
               recovery_octets = box.recovery_octets + sums.octets
          FROM (SELECT mailbox_id, count(*) AS messages, sum(octets) AS octets FROM gone GROUP BY mailbox_id) AS sums
         WHERE box.id {of} AND box.id = sums.mailbox_id)
    {answer}
    """


def last_made_here(uidl: str) -> str:
    """Return SQL: the last of the UIDLs `uidl` of some rows that was made here; NULL without any."""
    return f"""max({uidl} COLLATE "C") FILTER (WHERE {uidl} COLLATE "C" ~ '^{sortable_ids.SHAPE}$')"""


def later(one: str, other: str) -> str:
    """Return SQL: the later of two UIDLs that were made here; NULL and '' come before any."""
    return f'greatest({one} COLLATE "C", {other} COLLATE "C")'


_MAY = may(":password_version::float8", device="d", mailbox="box")
REMOVE = statement(
    "remove",
    leaving(
        f"""
        WITH every AS MATERIALIZED (
            SELECT range_intersect_agg(d_counting.hidden) AS hidden
              FROM mailstore_mailbox box
              JOIN mailstore_device d_counting ON {counts(device="d_counting", mailbox="box")}
             WHERE box.id = :mailbox_id)
        UPDATE mailstore_message m
           SET removed = box.change + 1, removed_at = now(), removed_by_id = :device_id,
               removed_why = CASE d.mode WHEN 'primary' THEN 'dele' ELSE 'every' END
          FROM mailstore_mailbox box, mailstore_device d, every
         WHERE box.id = :mailbox_id AND d.id = :device_id AND m.mailbox_id = :mailbox_id
           AND m.id = ANY(:message_ids::bigint[]) AND m.removed IS NULL AND m.added <= :change AND {_MAY}
           AND (d.mode = 'primary' OR d.mode = 'independent' AND coalesce(every.hidden @> m.added, true))
     RETURNING m.mailbox_id, m.added, m.octets""",
        of="= :mailbox_id",
        answer=f"""SELECT 1 FROM mailstore_mailbox box, mailstore_device d
     WHERE box.id = :mailbox_id AND d.id = :device_id AND {_MAY}""",
    ),
    purpose="""Moves messages into recovery, all or none. The device's mode is read here and not at sign-in, since a
        first other device turns the main one from primary to independent while sessions are open. A primary device
        removes; an independent one removes only what every counting device has hidden, itself by hide; a peeking one
        removes nothing. What another session has removed is skipped and counts as removed. No row means that nothing
        was done, here and by hide: since the session began, the mailbox was removed or suspended, the device was
        revoked, POP or the main password was barred, or the password was changed.""",
    caller="maildrop/maildrop.py at QUIT, behind lock and hide",
    parameters=UPDATE_PARAMETERS,
    locks="the messages' rows, the mailbox's row, and the rows of devices that had hidden some of them",
    round_trips="1, with lock and hide",
)

TAKE_OUT = django_statement(
    "take_out",
    lambda tables: leaving(
        f"""
        UPDATE {tables.message} m SET removed = box.change + 1, removed_at = now(), removed_why = 'person'
          FROM {tables.mailbox} box
         WHERE box.id = %(mailbox)s AND m.mailbox_id = %(mailbox)s AND m.id = ANY(%(messages)s) AND m.removed IS NULL
     RETURNING m.mailbox_id, m.added, m.octets""",
        of="= %(mailbox)s",
        answer="SELECT count(*), coalesce(sum(octets), 0)::bigint FROM gone",
        tables=tables,
    ),
    purpose="Takes messages out of the live maildrop, for all devices, because a person asked for it.",
    caller="messages/recovery.py",
    parameters={"mailbox": "the mailbox, which the caller has locked", "messages": "the messages, by their keys"},
    locks="the messages' rows, and the rows of devices that had hidden some of them",
    round_trips="1, behind the lock of the mailbox",
)

_RESTORE = f"""
    WITH back AS (
        SELECT m.id, box.change + row_number() OVER (ORDER BY m.added, m.id) AS added,
               (%(uidls)s::text[])[row_number() OVER (ORDER BY m.added, m.id)] AS fresh,
               %(new_uidl)s OR row_number() OVER (PARTITION BY m.uidl ORDER BY m.added) > 1
               OR EXISTS (SELECT 1 FROM mailstore_message m_live
                           WHERE m_live.mailbox_id = m.mailbox_id AND m_live.removed IS NULL AND m_live.uidl = m.uidl)
               AS renamed,
               m.uidl, m.added AS stayed_from, m.removed, m.removed_at, m.removed_why, m.removed_by_id
          FROM mailstore_message m JOIN mailstore_mailbox box ON box.id = m.mailbox_id
         WHERE m.mailbox_id = %(mailbox)s AND m.id = ANY(%(messages)s) AND m.removed IS NOT NULL),
    stayed AS (
        INSERT INTO mailstore_earlierstay
               (mailbox_id, message_id, uidl, added, removed, removed_at, removed_why, removed_by_id, restored_at)
        SELECT %(mailbox)s, id, uidl, stayed_from, removed, removed_at, removed_why, removed_by_id, now() FROM back),
    returned AS (
        UPDATE mailstore_message m
           SET added = back.added, uidl = CASE WHEN back.renamed THEN back.fresh ELSE m.uidl END,
               removed = NULL, removed_at = NULL, removed_why = '', removed_by_id = NULL, aged_from = now()
          FROM back
         WHERE m.id = back.id
     RETURNING m.added, m.octets),
    sums AS (
        SELECT count(*) AS messages, coalesce(sum(octets), 0)::bigint AS octets,
               range_agg(int8range(added, added + 1)) AS added
          FROM returned),
    spared AS (
        UPDATE mailstore_device d
           SET hidden = d.hidden + sums.added, skipped = d.skipped + sums.added,
               hidden_messages = d.hidden_messages + sums.messages, hidden_octets = d.hidden_octets + sums.octets
          FROM sums
         WHERE d.mailbox_id = %(mailbox)s AND d.revoked_at IS NULL AND d.id <> ALL(%(devices)s::bigint[])
           AND sums.messages > 0),
    given_up AS (
        SELECT {last_made_here("uidl")} AS uidl FROM back WHERE renamed),
    counted AS (
        UPDATE mailstore_mailbox box
           SET change = box.change + sums.messages, messages = box.messages + sums.messages,
               octets = box.octets + sums.octets, recovery_messages = box.recovery_messages - sums.messages,
               recovery_octets = box.recovery_octets - sums.octets,
               spent_uidl = {later("box.spent_uidl", "given_up.uidl")}
          FROM sums, given_up
         WHERE box.id = %(mailbox)s)
    SELECT messages, octets FROM sums
"""

RESTORE = django_statement(
    "restore",
    lambda _tables: _RESTORE,
    purpose="""Brings messages back from recovery in their old order, each under a new arrival number. The row itself
        moves, so a message is in one place at every moment. The stay that is over is kept as an earlier stay, for
        sessions that opened within it. A message gets a new UIDL if the caller asks for it, or if another live message
        has the old one; only imports can have brought that. A UIDL that is given up is spent: no import brings it back
        for another message.""",
    caller="messages/recovery.py",
    parameters={
        "uidls": "new UIDLs, one a message (text[])",
        "new_uidl": "whether each message gets its new UIDL",
        "mailbox": "the mailbox, which the caller has locked",
        "messages": "the messages, by their keys",
        "devices": """the devices that see what comes back (bigint[]), or NULL for all. For the others it is as if their
            start had left it out: they do not see it, and have not deleted it""",
    },
    locks="the messages' rows, and the rows of the devices that do not see them",
    round_trips="1, behind the lock of the mailbox",
)
