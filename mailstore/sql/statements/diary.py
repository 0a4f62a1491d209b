"""The SQL of what workers write down of their sessions: what devices have, and the diary. It changes no mail."""

from __future__ import annotations

from mailstore.pg.pipeline import Statement

# What devices have by their fetching: for each device in $1 the message beside it in $2. As in HIDE, all numbers below
# the first live message that the view shows and the device has not join the set, so that it stays one range where mail
# is read in order; but not what its start left out. A row that is being changed is passed over, since this must never
# hold up a QUIT; the devices passed over are the answer, and are told again.
CONFIRM = Statement(
    b"confirm",
    """
    WITH free AS (
        SELECT id FROM mailstore_device WHERE id = ANY($1::bigint[]) FOR NO KEY UPDATE SKIP LOCKED),
    fresh AS (
        SELECT told.device, range_agg(int8range(m.added, m.added + 1)) AS added
          FROM unnest($1::bigint[], $2::bigint[]) AS told (device, message)
          JOIN mailstore_message m ON m.id = told.message
         GROUP BY told.device),
    grown AS (
        SELECT d.id, d.mailbox_id, '{[0,1)}'::int8multirange + d.confirmed + d.hidden + fresh.added AS done
          FROM free JOIN mailstore_device d USING (id) JOIN fresh ON fresh.device = d.id),
    below AS (
        SELECT grown.id, int8range(0, coalesce(first.added, box.change + 1)) AS numbers
          FROM grown
          JOIN mailstore_mailbox box ON box.id = grown.mailbox_id
          LEFT JOIN LATERAL (
              SELECT m.added
                FROM mailstore_message m
               WHERE m.mailbox_id = grown.mailbox_id AND m.removed IS NULL
                 AND m.added >= (SELECT upper(run) FROM (SELECT unnest(grown.done) AS run LIMIT 1) AS runs)
                 AND NOT grown.done @> m.added
               ORDER BY m.added LIMIT 1) AS first ON true),
    told AS (
        UPDATE mailstore_device d
           SET confirmed = d.confirmed + fresh.added + (int8multirange(below.numbers) - d.skipped)
          FROM fresh, below
         WHERE d.id = fresh.device AND d.id = below.id)
    SELECT id FROM mailstore_device WHERE id = ANY($1::bigint[]) AND id NOT IN (SELECT id FROM free)
    """,
)

# First in the transaction of a batch: worker $1 writes its batch $2, once. Where it did, and only the answer was lost,
# the constraint ends the transaction. One row a worker.
BATCH = Statement(
    b"batch",
    """
    WITH before AS (DELETE FROM mailstore_diarybatch WHERE writer = $1::uuid AND number < $2::bigint)
    INSERT INTO mailstore_diarybatch (writer, number, written_at) VALUES ($1::uuid, $2::bigint, now())
    """,
)
WRITTEN_BEFORE = "23505"  # the SQLSTATE of that

# Sessions of the diary that are told one by one, as columns $1 to $11. $12 to $14 are the messages they handled: the
# session by its place in the columns, the arrival, and whether it was removed. A mailbox that is gone has no diary.
DIARY = Statement(
    b"diary",
    """
    WITH handled AS (
        SELECT told.session,
               range_agg(int8range(told.added, told.added + 1)) FILTER (WHERE NOT told.removed) AS fetched,
               range_agg(int8range(told.added, told.added + 1)) FILTER (WHERE told.removed) AS deleted
          FROM unnest($12::bigint[], $13::bigint[], $14::boolean[]) AS told (session, added, removed)
         GROUP BY told.session)
    INSERT INTO mailstore_diarysession
           (mailbox_id, device_id, started_at, ended_at, client, tls, listed, fetched_messages, removed_messages,
            octets_out, ended, sessions, fetched, deleted)
    SELECT told.mailbox, told.device, told.started_at, told.ended_at, told.client, told.tls, told.listed,
           told.fetched, told.removed, told.octets_out, told.ended, 1,
           coalesce(handled.fetched, '{}'), coalesce(handled.deleted, '{}')
      FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::inet[], $6::text[],
                  $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[]) WITH ORDINALITY
           AS told (mailbox, device, started_at, ended_at, client, tls, ended, listed, fetched, removed, octets_out,
                    session)
      JOIN mailstore_mailbox x ON x.id = told.mailbox
      LEFT JOIN handled ON handled.session = told.session
    """,
)

# Sessions that are alike, as one row an hour: $11 how many, $10 what finds that row. In one order, so that two workers
# never wait for each other crosswise.
FOLD_DIARY = Statement(
    b"fold_diary",
    """
    INSERT INTO mailstore_diarysession AS kept
           (mailbox_id, device_id, started_at, ended_at, client, tls, listed, octets_out, ended, fold, sessions,
            fetched_messages, removed_messages, fetched, deleted)
    SELECT told.mailbox, told.device, told.started_at, told.ended_at, told.client, told.tls, told.listed,
           told.octets_out, told.ended, told.fold, told.sessions, 0, 0, '{}', '{}'
      FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::inet[], $6::text[],
                  $7::text[], $8::bigint[], $9::bigint[], $10::bytea[], $11::bigint[])
           AS told (mailbox, device, started_at, ended_at, client, tls, ended, listed, octets_out, fold, sessions)
      JOIN mailstore_mailbox x ON x.id = told.mailbox
     ORDER BY told.fold
        ON CONFLICT (fold) DO UPDATE
       SET ended_at = greatest(kept.ended_at, excluded.ended_at), octets_out = kept.octets_out + excluded.octets_out,
           sessions = kept.sessions + excluded.sessions
    """,
)

# The hash of the password before the last one, where there was one.
PREVIOUS_PASSWORD = Statement(
    b"previous_password",
    """
    SELECT u.previous_password FROM mailstore_user u JOIN mailstore_mailbox x ON x.user_id = u.id
     WHERE x.id = $1 AND u.previous_password <> ''
    """,
)

# Part $1 of the site is at work. Its workers share the row, and one of them in half a minute is enough.
BEAT = Statement(
    b"beat",
    """
    INSERT INTO mailstore_heartbeat AS h (part, seen_at) VALUES ($1::text, now())
        ON CONFLICT (part) DO UPDATE SET seen_at = now() WHERE h.seen_at < now() - interval '20 seconds'
    """,
)

READS = (PREVIOUS_PASSWORD,)
WRITES = (BATCH, CONFIRM, DIARY, FOLD_DIARY, BEAT)
