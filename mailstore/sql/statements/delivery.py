"""The SQL of an arrival: who is meant, whether it fits, and the rows it writes."""

from __future__ import annotations

from mailstore.pg.pipeline import BINARY, TEXT, Statement
from mailstore.policy.quota import GRACE_OCTETS, GRACE_SHARE


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
       AND (a.mailbox_id IS NULL
            OR EXISTS (SELECT 1 FROM mailstore_mailbox m WHERE m.id = a.mailbox_id AND m.removed_at IS NULL))
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
# apply; $12 the import's source, or NULL; $13 the domains whose quota is kept, and whose rows LOCK_DOMAINS has locked;
# $14 the digest of a UIDL from elsewhere, or NULL: unique_violation where another import of the mailbox had it.
# No row: the mailboxes refuse, or the source came before. Some rows missing: not_null_violation undoes the rest.
DELIVER_ALL = Statement(
    b"deliver_all",
    f"""
    WITH fresh AS (
        INSERT INTO mailstore_importedsource (mailbox_id, source, uidl_digest)
        SELECT unnest($1::bigint[]), $12::bytea, $14::bytea WHERE $12::bytea IS NOT NULL
            ON CONFLICT (mailbox_id, source) DO NOTHING
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
    formats=(TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, BINARY, BINARY, TEXT, TEXT, TEXT, BINARY, TEXT, BINARY),
)

# Whether anything was ever stored: then an empty body store is a disk that is missing.
ANY_BODY = Statement(b"any_body", "SELECT EXISTS (SELECT 1 FROM mailstore_body)")

# Which body store is this database's own (NULL: none was tied yet), and whether anything was ever stored.
STORE_TIE = Statement(
    b"store_tie", "SELECT (SELECT store_id FROM mailstore_storetie LIMIT 1), EXISTS (SELECT 1 FROM mailstore_body)"
)
