"""The SQL of the mail path; each statement that reads or changes mail exists once, here.

Parameters are positional ($1), as libpq takes them. DESIGN.md says why each is one statement and what it locks.
"""

from __future__ import annotations

from mailstore.policy.quota import GRACE_OCTETS, GRACE_SHARE
from mailstore.store.lane import BINARY, TEXT, Statement

SITE_POLICY = "(SELECT id FROM mailstore_retentionpolicy WHERE site)"

# RFC 2449 §6.7: the days mail stays at least, whatever becomes of it under policy p of mailbox m; NULL is for ever.
# Relief is no such period, but what a full mailbox does instead of refusing mail.
EXPIRES_DAYS = """CASE WHEN NOT m.held THEN least(p.expire_days, p.expire_confirmed_days,
                CASE WHEN p.remove_when_confirmed THEN p.hold_days END) END"""

# A user with the mailbox and its devices: the main one, and the one whose selector was typed ($2; NULL for none).
# One row a device, none for an unknown user, one without a mailbox for an admin. A removed mailbox counts as suspended:
# the same reply and cost as an unknown one, but no reason to bar the network from which its owner's devices still ask.
SIGN_IN = Statement(
    b"sign_in",
    f"""
    SELECT u.password, u.is_active AND coalesce(o.active AND m.removed_at IS NULL, true), u.address,
           m.id, m.pop, m.main_pop, m.messages, m.octets, m.change,
           {EXPIRES_DAYS},
           d.id, d.name, d.main, d.digest, d.hidden::text, d.hidden_messages, d.hidden_octets,
           d.last_sign_in_at IS NULL,
           CASE WHEN d.last_sign_in_at > now() - interval '1 day' THEN host(d.last_client) END
      FROM mailstore_user u
      LEFT JOIN mailstore_mailbox m ON m.user_id = u.id
      LEFT JOIN mailstore_domain o ON o.id = m.domain_id
      LEFT JOIN mailstore_retentionpolicy p ON p.id = coalesce(m.policy_id, o.policy_id, {SITE_POLICY})
      LEFT JOIN mailstore_device d ON d.mailbox_id = m.id AND d.revoked_at IS NULL AND (d.main OR d.selector = $2)
     WHERE u.address = $1
    """,
)

# The shortest time that a mailbox keeps mail (NULL: for ever), and whether mailboxes differ. A policy nobody follows
# does not count; whoever is held, or follows none, keeps all mail. One pass over the mailboxes and nothing cleverer: a
# probe for each policy is quicker as long as the planner guesses right, and takes seconds when it does not.
SITE_EXPIRY = Statement(
    b"site_expiry",
    f"""
    SELECT min(kept.days), count(DISTINCT coalesce(kept.days, -1)) > 1
      FROM (SELECT {EXPIRES_DAYS} AS days
              FROM (SELECT DISTINCT domain_id, policy_id, held FROM mailstore_mailbox WHERE removed_at IS NULL) AS m
              JOIN mailstore_domain o ON o.id = m.domain_id
              LEFT JOIN mailstore_retentionpolicy p ON p.id = coalesce(m.policy_id, o.policy_id, {SITE_POLICY})
           ) AS kept
    """,
)

_PACKED = "string_agg(int8send(id), ''), string_agg(int8send(octets), ''), string_agg(uidl, E'\\n')"

# The maildrop of mailbox $1 at change $2 for a view that hides nothing, in order of arrival: one row of packed columns
# (8 octets a number, UIDLs one a line), which costs half of a row a message. The last column says whether messages
# have left since; then PAST_LISTING has the answer.
LISTING = Statement(
    b"listing",
    f"""
    SELECT {_PACKED}, EXISTS (SELECT 1 FROM mailstore_message WHERE mailbox_id = $1 AND removed > $2)
      FROM (SELECT id, octets, uidl
              FROM mailstore_message
             WHERE mailbox_id = $1 AND removed IS NULL AND added <= $2
             ORDER BY added) AS list
    """,
    binary=True,
)

# The same for any view, which hides $3, and any past.
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

# A device d of mailbox x may still use it: a session outlives the sign-in that was right for it.
MAY = """d.revoked_at IS NULL AND x.removed_at IS NULL AND x.pop AND (x.main_pop OR NOT d.main)
        AND EXISTS (SELECT 1 FROM mailstore_user u JOIN mailstore_domain o ON o.id = x.domain_id
                     WHERE u.id = x.user_id AND u.is_active AND o.active)"""

# Of the devices $1 with open sessions, those that may use POP no more; one that is gone altogether is among them.
BARRED = Statement(
    b"barred",
    f"""
    SELECT open.device
      FROM unnest($1::bigint[]) AS open (device)
     WHERE NOT EXISTS (SELECT 1 FROM mailstore_device d JOIN mailstore_mailbox x ON x.id = d.mailbox_id
                        WHERE d.id = open.device AND {MAY})
    """,
)


# Behind a set of a row: unpacked once. A large one lies compressed, and would be unpacked anew for each message.
WHOLE = "+ '{}'::int8multirange"


def leaving(gone: str, *, of: str, answer: str) -> str:
    """SQL: messages leave their mailboxes and the counters of views that had hidden them, for recovery, in one step.

    `gone` is the UPDATE of the rows, which returns mailbox_id, added and octets; `of` says which mailboxes are locked,
    as what stands behind their key (`= $1`); `answer` is what the statement selects at its end.
    """
    return f"""
    WITH gone AS ({gone}),
    views AS MATERIALIZED (
        SELECT id, mailbox_id, hidden {WHOLE} AS hidden FROM mailstore_device
         WHERE mailbox_id {of} AND hidden_messages > 0),
    seen AS (
        UPDATE mailstore_device d
           SET hidden_messages = d.hidden_messages - less.messages, hidden_octets = d.hidden_octets - less.octets
          FROM (SELECT v.id, count(*) AS messages, sum(gone.octets) AS octets
                  FROM views v JOIN gone ON gone.mailbox_id = v.mailbox_id AND v.hidden @> gone.added
                 GROUP BY v.id) AS less
         WHERE d.id = less.id),
    counted AS (
        UPDATE mailstore_mailbox m
           SET change = m.change + 1, messages = m.messages - sums.messages, octets = m.octets - sums.octets,
               recovery_messages = m.recovery_messages + sums.messages,
               recovery_octets = m.recovery_octets + sums.octets
          FROM (SELECT mailbox_id, count(*) AS messages, sum(octets) AS octets FROM gone GROUP BY mailbox_id) AS sums
         WHERE m.id {of} AND m.id = sums.mailbox_id)
    {answer}
    """


# The UPDATE state, behind LOCK: messages $2 leave mailbox $1, by device $3, all or none. What was restored since the
# session began, behind change $4, is none of them any more. The device's mode is read here and not at sign-in, since a
# first other device turns the main one from primary to independent while sessions are open. A primary device removes;
# an independent one only what every counting device has hidden, this one by HIDE; a peeking one nothing. What another
# session removed meanwhile is skipped and counts as removed. No row: the mailbox was removed or suspended, the device
# revoked, or POP or the main password barred, since the session began; then nothing was done, here and by HIDE.
REMOVE = Statement(
    b"remove",
    leaving(
        f"""
        WITH every AS MATERIALIZED (
            SELECT range_intersect_agg(v.hidden) AS hidden
              FROM mailstore_mailbox x JOIN mailstore_device v ON {COUNTS} WHERE x.id = $1)
        UPDATE mailstore_message m
           SET removed = x.change + 1, removed_at = now(), removed_by_id = $3,
               removed_why = CASE d.mode WHEN 'primary' THEN 'dele' ELSE 'every' END
          FROM mailstore_mailbox x, mailstore_device d, every
         WHERE x.id = $1 AND d.id = $3 AND m.mailbox_id = $1 AND m.id = ANY($2::bigint[]) AND m.removed IS NULL
           AND m.added <= $4 AND {MAY}
           AND (d.mode = 'primary' OR d.mode = 'independent' AND coalesce(every.hidden @> m.added, true))
     RETURNING m.mailbox_id, m.added, m.octets""",
        of="= $1",
        answer=f"SELECT 1 FROM mailstore_mailbox x, mailstore_device d WHERE x.id = $1 AND d.id = $3 AND {MAY}",
    ),
)

# When a device counts no more: what is hidden from all who still count, and deleted by one of them at least, leaves.
# What all of them left out by their starts is nobody's to remove: none of them ever saw it. With nobody left who
# counts, nothing leaves. Asked by the actions of people, behind the mailbox's lock; their parameters have names.
SETTLE = leaving(
    f"""
        WITH counting AS MATERIALIZED (
            SELECT v.hidden, v.hidden - v.skipped AS deleted
              FROM mailstore_mailbox x JOIN mailstore_device v ON {COUNTS} WHERE x.id = %(mailbox)s),
        sets AS MATERIALIZED (
            SELECT (SELECT range_intersect_agg(hidden) FROM counting)
                   * (SELECT range_agg(one) FROM counting, unnest(deleted) AS one) AS done)
        UPDATE mailstore_message m
           SET removed = x.change + 1, removed_at = now(), removed_why = 'every'
          FROM mailstore_mailbox x, sets
         WHERE x.id = %(mailbox)s AND m.mailbox_id = %(mailbox)s AND m.removed IS NULL AND sets.done @> m.added
     RETURNING m.mailbox_id, m.added, m.octets""",
    of="= %(mailbox)s",
    answer="SELECT count(*) FROM gone",
)

# Behind the mailbox's lock: messages %(messages)s come back from recovery, in their old order, each under a number of
# its own. The row itself moves, so a message is in one place whatever happens beside it. %(uidls)s are new UIDLs, one a
# message, for `again`, and for an old one that another live message has (only imports can have brought it). With
# %(devices)s, all other devices do not see what came back, and have not deleted it either: it is as if left out by
# their start. NULL: all devices see it.
RESTORE = """
    WITH back AS (
        SELECT m.id, x.change + row_number() OVER (ORDER BY m.added, m.id) AS added,
               (%(uidls)s::text[])[row_number() OVER (ORDER BY m.added, m.id)] AS fresh,
               %(again)s OR row_number() OVER (PARTITION BY m.uidl ORDER BY m.added) > 1
               OR EXISTS (SELECT 1 FROM mailstore_message live
                           WHERE live.mailbox_id = m.mailbox_id AND live.removed IS NULL AND live.uidl = m.uidl)
               AS renamed
          FROM mailstore_message m JOIN mailstore_mailbox x ON x.id = m.mailbox_id
         WHERE m.mailbox_id = %(mailbox)s AND m.id = ANY(%(messages)s) AND m.removed IS NOT NULL),
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
    counted AS (
        UPDATE mailstore_mailbox m
           SET change = m.change + sums.messages, messages = m.messages + sums.messages,
               octets = m.octets + sums.octets, recovery_messages = m.recovery_messages - sums.messages,
               recovery_octets = m.recovery_octets - sums.octets
          FROM sums
         WHERE m.id = %(mailbox)s)
    SELECT messages, octets FROM sums
"""

# Behind LOCK: messages $2 of mailbox $1 are hidden from device $3 alone, unless it is primary and removes them. All
# numbers below the view's first visible message join the set, so that it stays one range where mail is read in order;
# that message is looked for from the end of this range on, past what is hidden.
HIDE = Statement(
    b"hide",
    f"""
    WITH view AS MATERIALIZED (
        SELECT d.hidden {WHOLE} AS hidden
          FROM mailstore_device d JOIN mailstore_mailbox x ON x.id = $1
         WHERE d.id = $3 AND d.mode <> 'primary' AND {MAY}),
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

# When devices signed in last, in batches; a silent one counts again. A row that is being changed is passed over: a
# sighting never waits. Mailboxes are told too, for the panel's lists, but not more often than once in five minutes.
SIGHTINGS = Statement(
    b"sightings",
    """
    WITH told AS (
        UPDATE mailstore_device d
           SET last_sign_in_at = seen.at, last_client = seen.client, silence_told_at = NULL, silent_since = NULL
          FROM unnest($1::bigint[], $2::timestamptz[], $3::inet[]) AS seen (device, at, client)
         WHERE d.id = seen.device
           AND d.id IN (SELECT id FROM mailstore_device WHERE id = ANY($1::bigint[]) FOR NO KEY UPDATE SKIP LOCKED)
     RETURNING d.mailbox_id, d.last_sign_in_at),
    free AS (
        SELECT m.id
          FROM mailstore_mailbox m JOIN told ON told.mailbox_id = m.id
         WHERE m.last_sign_in_at IS NULL OR m.last_sign_in_at < told.last_sign_in_at - interval '5 minutes'
           FOR NO KEY UPDATE OF m SKIP LOCKED)
    UPDATE mailstore_mailbox m SET last_sign_in_at = told.last_sign_in_at
      FROM told WHERE m.id = told.mailbox_id AND m.id IN (SELECT id FROM free)
    """,
)


def fits(octets: str, box: str = "m") -> str:
    """SQL: mailbox `box` can take a message of `octets` octets (SQL too). The quota's arithmetic exists only here."""
    return f"""({box}.quota_octets IS NULL OR ({box}.octets < {box}.quota_octets AND {box}.octets + {octets}
        <= {box}.quota_octets + least({GRACE_OCTETS}, {box}.quota_octets / {GRACE_SHARE})))
        AND ({box}.quota_messages IS NULL OR {box}.messages < {box}.quota_messages)"""


def room(octets: str) -> str:
    """SQL: what the mailboxes of domain o store leaves room for `octets`. Asked only where the domain has a quota."""
    return f"""{octets} + (SELECT coalesce(sum(b.octets), 0) FROM mailstore_mailbox b
                   WHERE b.domain_id = o.id AND b.removed_at IS NULL) <= o.quota_octets"""


# What answers to any of the names $1: mailboxes and aliases, and whether a message of $2 octets fits a mailbox. The
# last columns: the domain whose own quota must be kept too (ROOM); of an alias its targets, and whether it is a forward
# that leaves a copy in the mailbox. What only few need, others do not pay for: it is asked for apart.
RECIPIENTS = Statement(
    b"recipients",
    f"""
    SELECT u.address, m.id, m.receives AND o.active, {fits("$2::bigint")}, o.over_quota,
           CASE WHEN o.quota_octets IS NOT NULL THEN o.id END, NULL::text, false
      FROM mailstore_user u
      JOIN mailstore_mailbox m ON m.user_id = u.id
      JOIN mailstore_domain o ON o.id = m.domain_id
     WHERE u.address = ANY($1::text[]) AND m.removed_at IS NULL
     UNION ALL
    SELECT a.address, NULL, o.active, NULL, NULL, NULL, array_to_string(a.targets, E'\\n'), a.keep_copy
      FROM mailstore_alias a JOIN mailstore_domain o ON o.id = a.domain_id
     WHERE a.address = ANY($1::text[]) AND a.active AND o.removed_at IS NULL
       AND (a.expires_at IS NULL OR a.expires_at > now())
    """,
)

# For names that nobody has: which of their domains $1 are ours, and for which others these stand (NULL: for none).
OURS = Statement(
    b"ours",
    """
    SELECT o.name, t.name, o.active
      FROM mailstore_domain o LEFT JOIN mailstore_domain t ON t.id = o.stands_for_id
     WHERE o.name = ANY($1::text[]) AND o.removed_at IS NULL
    """,
)

# Of the domains $1, which have a quota: those that have no room for $2 octets, and what they say to that.
ROOM = Statement(
    b"room",
    f"SELECT o.over_quota FROM mailstore_domain o WHERE o.id = ANY($1::bigint[]) AND NOT {room('$2::bigint')}",
)

# Behind this, two deliveries to mailboxes of one domain cannot both take the last octet of its quota: first in the
# transaction, for the domains $1 that have one. The others never wait for each other.
LOCK_DOMAINS = Statement(
    b"lock_domains",
    "SELECT 1 FROM mailstore_domain WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE",
)

# A body whose rows come in statements of their own (several recipients). Until the first is there it counts as
# unreferenced, so that the sweep finds it when nobody takes it.
ADD_BODY = Statement(
    b"add_body",
    """
    INSERT INTO mailstore_body (key, wire_octets, octets, digest, created_at, unreferenced_at)
    VALUES ($1, $2, $3, $4, now(), now()) RETURNING id
    """,
    formats=(TEXT, TEXT, TEXT, BINARY),
)


def takes(quota: str) -> str:
    """SQL: mailbox m takes a message of $2 octets now; `quota` says what its domain o asks for where it has one."""
    return f"""m.receives AND {fits("$2::bigint")}
           AND (SELECT o.active AND (o.quota_octets IS NULL{quota}) FROM mailstore_domain o WHERE o.id = m.domain_id)"""


# What an arrival does to mailbox m, to the body's row and to the message's; each statement says for whom.
COUNT_IN = """UPDATE mailstore_mailbox m
           SET change = m.change + 1, messages = m.messages + 1, octets = m.octets + $2::bigint
         WHERE m.removed_at IS NULL"""
NEW_BODY = "INSERT INTO mailstore_body (key, wire_octets, octets, digest, created_at)"
NEW_MESSAGE = """INSERT INTO mailstore_message
           (mailbox_id, body_id, uidl, prefix, octets, arrived_at, aged_from, added, removed_why)"""

# One arrival in mailbox $1, as nearly all are: quota, switches, counters, change number, body row and message row. $2
# total octets; $3 to $6 the body; $7 UIDL; $8 prefix. No row: the mailbox refuses. Of rows that were there it locks the
# mailbox's alone, so that several, in the order of their mailboxes, may be one transaction. What is in a domain with a
# quota is no part of it: one that got its quota since the recipient was accepted takes nothing.
DELIVER = Statement(
    b"deliver",
    f"""
    WITH box AS (
        {COUNT_IN}
           AND m.id = $1::bigint AND {takes("")}
     RETURNING m.id, m.change),
    stored AS (
        {NEW_BODY}
        SELECT $3::text, $4::bigint, $5::bigint, $6::bytea, now() FROM box
     RETURNING id)
    {NEW_MESSAGE}
    SELECT box.id, stored.id, $7::text, $8::bytea, $2::bigint, now(), NULL, box.change, ''
      FROM box, stored
    RETURNING mailbox_id
    """,
    formats=(TEXT, TEXT, TEXT, TEXT, TEXT, BINARY, TEXT, BINARY),
)

# All that goes into the mailboxes of domain o; and that it fits, behind the lock of the domain's row.
_GOES_IN = """$2::bigint * (
                   SELECT count(*) FROM mailstore_mailbox c WHERE c.id = ANY($1::bigint[]) AND c.domain_id = o.id)"""
_KEPT = f" OR o.id = ANY($13::bigint[]) AND {room(_GOES_IN)}"

# Any other arrival, in the mailboxes $1, all or none. $2 total octets; $3 the body's id, or NULL and $4 to $7 the body
# itself; $8 prefix; $9 a UIDL for each mailbox; $10 arrival (NULL: now); $11 true when neither quota nor switches
# apply; $12 the import's source, or NULL; $13 the domains whose quota is kept, and whose rows LOCK_DOMAINS has locked.
# No row: the mailboxes refuse, or the source came before. Some rows missing: not_null_violation undoes the rest.
DELIVER_ALL = Statement(
    b"deliver_all",
    f"""
    WITH fresh AS (
        INSERT INTO mailstore_importedsource (mailbox_id, source)
        SELECT unnest($1::bigint[]), $12::bytea WHERE $12::bytea IS NOT NULL
            ON CONFLICT DO NOTHING
     RETURNING mailbox_id),
    box AS (
        {COUNT_IN}
           AND m.id = ANY($1::bigint[]) AND ($11::boolean OR ({takes(_KEPT)}))
           AND ($12::bytea IS NULL OR m.id IN (SELECT mailbox_id FROM fresh))
     RETURNING m.id, m.change),
    stored AS (
        {NEW_BODY}
        SELECT $4::text, $5::bigint, $6::bigint, $7::bytea, now()
         WHERE $3::bigint IS NULL AND EXISTS (SELECT 1 FROM box)
     RETURNING id)
    {NEW_MESSAGE}
    SELECT box.id, coalesce($3::bigint, (SELECT id FROM stored)),
           ($9::text[])[array_position($1::bigint[], box.id)], $8::bytea, $2::bigint, coalesce($10::timestamptz, now()),
           CASE WHEN $10::timestamptz IS NOT NULL THEN now() END,
           CASE WHEN (SELECT count(*) FROM box) = cardinality($1::bigint[]) THEN box.change END, ''
      FROM box
    RETURNING mailbox_id
    """,
    formats=(TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, BINARY, BINARY, TEXT, TEXT, TEXT, BINARY, TEXT),
)

# Whether anything was ever stored: then an empty body store is a disk that is missing.
ANY_BODY = Statement(b"any_body", "SELECT EXISTS (SELECT 1 FROM mailstore_body)")

READS = (SIGN_IN, SITE_EXPIRY, BARRED, LISTING, PAST_LISTING, CARDS, RECIPIENTS, OURS, ROOM, ANY_BODY)
WRITES = (LOCK, LOCK_DOMAINS, REMOVE, HIDE, SIGHTINGS, ADD_BODY, DELIVER, DELIVER_ALL)
