"""The SQL of what workers write of their sessions: what devices have, and the diary. It changes no mail."""

from __future__ import annotations

from mailstore.pg.statement import statement

CONFIRM = statement(
    "confirm",
    """
    WITH free AS (
        SELECT id FROM mailstore_device WHERE id = ANY(:device_ids::bigint[]) FOR NO KEY UPDATE SKIP LOCKED),
    fresh AS (
        SELECT had.device, range_agg(int8range(m.added, m.added + 1)) AS added
          FROM unnest(:device_ids::bigint[], :message_ids::bigint[]) AS had (device, message)
          JOIN mailstore_message m ON m.id = had.message
         GROUP BY had.device),
    grown AS (
        SELECT d.id, d.mailbox_id, '{[0,1)}'::int8multirange + d.confirmed + d.hidden + fresh.added AS done
          FROM free JOIN mailstore_device d USING (id) JOIN fresh ON fresh.device = d.id),
    below AS (
        SELECT grown.id, int8range(0, coalesce(first.added, box.change + 1)) AS arrivals
          FROM grown
          JOIN mailstore_mailbox box ON box.id = grown.mailbox_id
          LEFT JOIN LATERAL (
              SELECT m.added
                FROM mailstore_message m
               WHERE m.mailbox_id = grown.mailbox_id AND m.removed IS NULL
                 AND m.added >= (SELECT upper(run) FROM (SELECT unnest(grown.done) AS run LIMIT 1) AS runs)
                 AND NOT grown.done @> m.added
               ORDER BY m.added LIMIT 1) AS first ON true),
    noted AS (
        UPDATE mailstore_device d
           SET confirmed = d.confirmed + fresh.added + (int8multirange(below.arrivals) - d.skipped)
          FROM fresh, below
         WHERE d.id = fresh.device AND d.id = below.id)
    SELECT id FROM mailstore_device WHERE id = ANY(:device_ids::bigint[]) AND id NOT IN (SELECT id FROM free)
    """,
    purpose="""Notes what devices have by their fetching. As in hide, all numbers below the first live message that the
        view shows and the device has not join the set, so that it stays one range where mail is read in order; but not
        what the device's start left out. A row that is being changed is passed over, since this must never hold up a
        QUIT; the devices passed over are the answer, and go into the next batch.""",
    caller="maildrop/diary_writer.py, last in the transaction of a batch",
    parameters={
        "device_ids": "a device for each message (bigint[])",
        "message_ids": "the messages that they have, by their keys (bigint[])",
    },
    locks="the rows of devices that nobody has locked: it never waits",
    round_trips="1 for a batch, with the statements before it",
)

BATCH = statement(
    "batch",
    """
    WITH before AS (DELETE FROM mailstore_diarybatch WHERE writer = :writer::uuid AND number < :number::bigint)
    INSERT INTO mailstore_diarybatch (writer, number, written_at) VALUES (:writer::uuid, :number::bigint, now())
    """,
    purpose="""Notes that a worker writes a batch, so that a batch whose answer was lost is written once: where it was
        written before, the constraint ends the transaction. One row a worker.""",
    caller="maildrop/diary_writer.py, first in the transaction of a batch",
    parameters={"writer": "the worker (uuid)", "number": "the number of the batch, from 1"},
    locks="its own row",
    round_trips="none of its own: it goes with the batch",
)
WRITTEN_BEFORE = "23505"  # the SQLSTATE of a batch that was written before

_SESSIONS = {
    "mailbox_ids": "their mailboxes (bigint[])",
    "device_ids": "their devices, or NULL (bigint[])",
    "started_at": "when they began (timestamptz[])",
    "ended_at": "when they ended (timestamptz[])",
    "clients": "the addresses that they came from, or NULL (inet[])",
    "tls": "their TLS versions, or '' (text[])",
    "ended": "how they ended (text[])",
    "listed_counts": "how many messages they saw (bigint[])",
    "list_requested": "whether they asked for them (boolean[])",
}

DIARY = statement(
    "diary",
    """
    WITH handled AS (
        SELECT one.session,
               range_agg(int8range(one.added, one.added + 1)) FILTER (WHERE NOT one.removed) AS fetched,
               range_agg(int8range(one.added, one.added + 1)) FILTER (WHERE one.removed) AS deleted
          FROM unnest(:handled_sessions::bigint[], :handled_arrivals::bigint[], :handled_removed::boolean[])
               AS one (session, added, removed)
         GROUP BY one.session)
    INSERT INTO mailstore_diarysession
           (mailbox_id, device_id, device_mode, started_at, ended_at, client, tls, listed, list_requested,
            fetched_messages, removed_messages, unremoved_messages, octets_out, ended, sessions, fetched, deleted)
    SELECT one.mailbox, one.device, CASE WHEN one.removed > 0 THEN coalesce(d.mode, '') ELSE '' END, one.started_at,
           one.ended_at, one.client, one.tls, one.listed, one.list_requested, one.fetched, one.removed, one.unremoved,
           one.octets_out, one.ended, 1,
           coalesce(handled.fetched, '{}'), coalesce(handled.deleted, '{}')
      FROM unnest(:mailbox_ids::bigint[], :device_ids::bigint[], :started_at::timestamptz[], :ended_at::timestamptz[],
                  :clients::inet[], :tls::text[], :ended::text[], :listed_counts::bigint[], :list_requested::boolean[],
                  :fetched_counts::bigint[], :removed_counts::bigint[], :unremoved_counts::bigint[],
                  :octets_out::bigint[]) WITH ORDINALITY
           AS one (mailbox, device, started_at, ended_at, client, tls, ended, listed, list_requested, fetched, removed,
                   unremoved, octets_out, session)
      JOIN mailstore_mailbox box ON box.id = one.mailbox
      LEFT JOIN mailstore_device d ON d.id = one.device
      LEFT JOIN handled ON handled.session = one.session
    """,
    purpose="""Writes sessions into the diary one by one, with the messages that they fetched and removed. A mailbox
        that is gone has no diary. What removed something keeps the mode of its device, which may change later.""",
    caller="maildrop/diary_writer.py, in the transaction of a batch",
    parameters={
        **_SESSIONS,
        "fetched_counts": "how many messages they fetched (bigint[])",
        "removed_counts": "how many they removed (bigint[])",
        "unremoved_counts": "how many they marked in vain (bigint[])",
        "octets_out": "how many octets they were sent (bigint[])",
        "handled_sessions": "for each message that was handled, its session, by its place from 1 (bigint[])",
        "handled_arrivals": "the arrival number of that message (bigint[])",
        "handled_removed": "whether it was removed, not fetched (boolean[])",
    },
    locks="none but its new rows",
    round_trips="none of its own: it goes with the batch",
)

ROLL_UP_DIARY = statement(
    "roll_up_diary",
    """
    INSERT INTO mailstore_diarysession AS s
           (mailbox_id, device_id, started_at, ended_at, client, tls, listed, list_requested, octets_out, ended,
            rollup_key, sessions, fetched_messages, removed_messages, unremoved_messages, fetched, deleted)
    SELECT one.mailbox, one.device, one.started_at, one.ended_at, one.client, one.tls, one.listed, one.list_requested,
           one.octets_out, one.ended, one.rollup_key, one.sessions, 0, 0, 0, '{}', '{}'
      FROM unnest(:mailbox_ids::bigint[], :device_ids::bigint[], :started_at::timestamptz[], :ended_at::timestamptz[],
                  :clients::inet[], :tls::text[], :ended::text[], :listed_counts::bigint[], :list_requested::boolean[],
                  :octets_out::bigint[], :rollup_keys::bytea[], :session_counts::bigint[])
           AS one (mailbox, device, started_at, ended_at, client, tls, ended, listed, list_requested, octets_out,
                   rollup_key, sessions)
      JOIN mailstore_mailbox box ON box.id = one.mailbox
     ORDER BY one.rollup_key
        ON CONFLICT (rollup_key) DO UPDATE
       SET ended_at = greatest(s.ended_at, excluded.ended_at), octets_out = s.octets_out + excluded.octets_out,
           sessions = s.sessions + excluded.sessions
    """,
    purpose="Writes sessions that handled no message and are alike as one row an hour.",
    caller="maildrop/diary_writer.py, in the transaction of a batch",
    parameters={
        **_SESSIONS,
        "octets_out": "how many octets they were sent (bigint[])",
        "rollup_keys": "what finds the row of each hour (bytea[])",
        "session_counts": "how many sessions each row counts (bigint[])",
    },
    locks="its rows, in one order, so that two workers never wait for each other crosswise",
    round_trips="none of its own: it goes with the batch",
)

PREVIOUS_PASSWORD = statement(
    "previous_password",
    """
    SELECT u.previous_password FROM mailstore_user u JOIN mailstore_mailbox box ON box.user_id = u.id
     WHERE box.id = :mailbox_id AND u.previous_password <> ''
    """,
    purpose="Reads the hash of the password before the last one, where there was one.",
    caller="maildrop/sign_in_refusal.py, after a wrong password, once the reply is decided",
    parameters={"mailbox_id": "the mailbox"},
    locks="none",
    round_trips="1",
)

BEAT = statement(
    "beat",
    """
    INSERT INTO mailstore_heartbeat AS hb (part, seen_at) VALUES (:part::text, now())
        ON CONFLICT (part) DO UPDATE SET seen_at = now() WHERE hb.seen_at < now() - interval '20 seconds'
    """,
    purpose="""Notes that a part of the site is at work. Its workers share the row, and one of them in half a minute is
        enough.""",
    caller="wiring/process.py, every 30 ticks (seconds) of a worker",
    parameters={"part": "pop3, lmtp or another listener"},
    locks="the part's row",
    round_trips="1",
)
