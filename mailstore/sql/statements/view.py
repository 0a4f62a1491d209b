"""The SQL of a view: who counts, who may, what a session lists and sends, and what a device hides from itself."""

from __future__ import annotations

from mailstore.pg.pipeline import Statement

_PACKED = """string_agg(int8send(id), ''), string_agg(int8send(added), ''), string_agg(int8send(octets), ''),
           string_agg(uidl, E'\\n')"""

# The maildrop of mailbox $1 at change $2 for a view that hides nothing, in order of arrival: one row of packed columns
# (8 octets a number, UIDLs one a line), which costs half of a row a message. The last column says whether messages
# have left since; then PAST_LISTING has the answer. One that left and was restored has left too.
LISTING = Statement(
    b"listing",
    f"""
    SELECT {_PACKED}, EXISTS (SELECT 1 FROM mailstore_message WHERE mailbox_id = $1 AND removed > $2)
                   OR EXISTS (SELECT 1 FROM mailstore_earlierstay WHERE mailbox_id = $1 AND removed > $2)
      FROM (SELECT id, octets, uidl, added
              FROM mailstore_message
             WHERE mailbox_id = $1 AND removed IS NULL AND added <= $2
             ORDER BY added) AS list
    """,
    binary=True,
)

# The same for any view, which hides $3, and any past: what is live, what has left since, and what has been restored.
PAST_LISTING = Statement(
    b"past_listing",
    f"""
    SELECT {_PACKED}
      FROM (SELECT id, octets, uidl, added
              FROM mailstore_message
             WHERE mailbox_id = $1 AND removed IS NULL AND added <= $2 AND NOT $3::int8multirange @> added
             UNION ALL
            SELECT id, octets, uidl, added
              FROM mailstore_message
             WHERE mailbox_id = $1 AND removed > $2 AND added <= $2 AND NOT $3::int8multirange @> added
             UNION ALL
            SELECT m.id, m.octets, s.uidl, s.added
              FROM mailstore_earlierstay s JOIN mailstore_message m ON m.id = s.message_id
             WHERE s.mailbox_id = $1 AND s.removed > $2 AND s.added <= $2 AND NOT $3::int8multirange @> s.added
             ORDER BY added) AS list
    """,
    binary=True,
)

# What sending messages needs; asked for a window of a listing at a time. The numbers in one column of 8 octets each.
CARDS = Statement(
    b"cards",
    """
    SELECT int8send(m.id) || int8send(m.octets) || int8send(b.wire_octets) || int8send(b.octets),
           m.prefix, b.key, b.digest
      FROM mailstore_message m JOIN mailstore_body b ON b.id = m.body_id
     WHERE m.id = ANY($1::bigint[])
    """,
    binary=True,
)

# First in every transaction that removes, hides or delivers to several: the mailboxes $1 are locked in one order. The
# statement behind it takes its snapshot after the lock, so it sees everything that was ordered before it.
LOCK = Statement(b"lock", "SELECT 1 FROM mailstore_mailbox WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE")

# A device v of mailbox x counts: mail waits for it, until it has been silent for too long. The main one only once it
# has signed in, and while it may.
COUNTS = """v.mailbox_id = x.id AND v.revoked_at IS NULL AND v.mode <> 'peek' AND v.silent_since IS NULL
        AND NOT (v.main AND (v.last_sign_in_at IS NULL OR NOT x.main_pop))"""

# Which password user u has: another figure once another one was set (`new_passwords.have`). A new hash of the same
# password leaves it as it is. A float8 keeps microseconds, and is printed so that it is read back as itself.
CREDENTIAL_VERSION = "date_part('epoch', u.password_changed_at)"


def may(version: str) -> str:
    """SQL: a device d of mailbox x may still use it: a session outlives the sign-in that was right for it.

    `version` is the main password's at that sign-in (CREDENTIAL_VERSION); other devices have secrets of their own.
    """
    return f"""d.revoked_at IS NULL AND x.removed_at IS NULL AND x.pop AND (x.main_pop OR NOT d.main)
        AND EXISTS (SELECT 1 FROM mailstore_user u JOIN mailstore_domain o ON o.id = x.domain_id
                     WHERE u.id = x.user_id AND u.is_active AND o.active
                       AND (NOT d.main OR {CREDENTIAL_VERSION} IS NOT DISTINCT FROM {version}))"""


# Of open sessions, by their devices $1 and the passwords' versions $2, the places of those that may use POP no more.
# One whose device is gone altogether is among them.
BARRED = Statement(
    b"barred",
    f"""
    SELECT open.place
      FROM unnest($1::bigint[], $2::float8[]) WITH ORDINALITY AS open (device, version, place)
     WHERE NOT EXISTS (SELECT 1 FROM mailstore_device d JOIN mailstore_mailbox x ON x.id = d.mailbox_id
                        WHERE d.id = open.device AND {may("open.version")})
    """,
)

# Behind a set of a row: unpacked once. A large one lies compressed, and would be unpacked anew for each message.
WHOLE = "+ '{}'::int8multirange"

# Behind LOCK: messages $2 of mailbox $1 are hidden from device $3 alone, unless it is primary and removes them. All
# numbers below the view's first visible message join the set, so that it stays one range where mail is read in order;
# that message is looked for from the end of this range on, past what is hidden. $5 is the password's version (`may`).
HIDE = Statement(
    b"hide",
    f"""
    WITH view AS MATERIALIZED (
        SELECT d.hidden {WHOLE} AS hidden
          FROM mailstore_device d JOIN mailstore_mailbox x ON x.id = $1
         WHERE d.id = $3 AND d.mode <> 'primary' AND {may("$5::float8")}),
    fresh AS (
        SELECT m.added, m.octets
          FROM mailstore_message m JOIN view ON NOT view.hidden @> m.added
         WHERE m.mailbox_id = $1 AND m.id = ANY($2::bigint[]) AND m.removed IS NULL AND m.added <= $4),
    sums AS (
        SELECT count(*) AS messages, coalesce(sum(octets), 0) AS octets, range_agg(int8range(added, added + 1)) AS added
          FROM fresh),
    below AS MATERIALIZED (
        SELECT int8multirange(int8range(0, coalesce(
                   (SELECT m.added
                      FROM mailstore_message m
                     WHERE m.mailbox_id = $1 AND m.removed IS NULL
                       AND m.added >= coalesce((SELECT CASE WHEN lower(run) = 0 THEN upper(run) ELSE 0 END
                                                  FROM (SELECT unnest(view.hidden) AS run LIMIT 1) AS runs), 0)
                       AND NOT view.hidden @> m.added AND NOT sums.added @> m.added
                     ORDER BY m.added LIMIT 1), box.change + 1))) AS numbers
          FROM view, sums, mailstore_mailbox box WHERE box.id = $1 AND sums.messages > 0),
    told AS (
        UPDATE mailstore_device d
           SET hidden = d.hidden + (sums.added + below.numbers),
               hidden_messages = d.hidden_messages + sums.messages, hidden_octets = d.hidden_octets + sums.octets
          FROM below, sums
         WHERE d.id = $3
     RETURNING d.id)
    UPDATE mailstore_mailbox m SET change = m.change + 1 FROM told WHERE m.id = $1
    """,
)
