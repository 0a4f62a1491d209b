"""The SQL of an arrival: whom an address stands for, whether the message fits, and the rows that it writes."""

from __future__ import annotations

from mailstore.pg.statement import statement
from mailstore.policy.quota import GRACE_OCTETS, GRACE_SHARE


def fits(octets: str, *, mailbox: str) -> str:
    """Return SQL: the mailbox row under the alias `mailbox` can take a message of `octets` octets (SQL too).

    The quota's arithmetic exists only here.
    """
    return f"""({mailbox}.quota_octets IS NULL OR ({mailbox}.octets < {mailbox}.quota_octets
        AND {mailbox}.octets + {octets}
            <= {mailbox}.quota_octets + least({GRACE_OCTETS}, {mailbox}.quota_octets / {GRACE_SHARE})))
        AND ({mailbox}.quota_messages IS NULL OR {mailbox}.messages < {mailbox}.quota_messages)"""


def room(octets: str, *, domain: str) -> str:
    """Return SQL: what the mailboxes of the domain under the alias `domain` store leaves room for `octets`.

    Ask it only where the domain has a quota.
    """
    return f"""{octets} + (SELECT coalesce(sum(box_stored.octets), 0) FROM mailstore_mailbox box_stored
                   WHERE box_stored.domain_id = {domain}.id AND box_stored.removed_at IS NULL)
        <= {domain}.quota_octets"""


# The targets of an alias as lines; nearly all aliases are without a target that waits for its confirmation.
_CONFIRMED = r"""CASE WHEN a.unconfirmed = '{}' THEN array_to_string(a.targets, E'\n')
                ELSE (SELECT string_agg(target, E'\n') FROM unnest(a.targets) AS target
                       WHERE target <> ALL (a.unconfirmed)) END"""

RECIPIENTS = statement(
    "recipients",
    f"""
    SELECT u.address, box.id, box.receives AND dom.active, {fits(":octets::bigint", mailbox="box")}, dom.over_quota,
           CASE WHEN dom.quota_octets IS NOT NULL THEN dom.id END, NULL::text, false
      FROM mailstore_user u
      JOIN mailstore_mailbox box ON box.user_id = u.id
      JOIN mailstore_domain dom ON dom.id = box.domain_id
     WHERE u.address = ANY(:addresses::text[]) AND box.removed_at IS NULL
     UNION ALL
    SELECT a.address, NULL, dom.active, NULL, NULL, NULL, {_CONFIRMED},
           a.keep_copy OR a.targets <@ a.unconfirmed
      FROM mailstore_alias a JOIN mailstore_domain dom ON dom.id = a.domain_id
     WHERE a.address = ANY(:addresses::text[]) AND a.active AND dom.removed_at IS NULL
       AND (a.expires_at IS NULL OR a.expires_at > now())
       AND (a.mailbox_id IS NULL
            OR EXISTS (SELECT 1 FROM mailstore_mailbox box WHERE box.id = a.mailbox_id AND box.removed_at IS NULL))
    """,
    purpose="""Finds the mailboxes and aliases that answer to some addresses, and whether a message fits each mailbox.
        The last columns are the domain whose own quota must be kept too (statement room); of an alias its targets,
        without those that wait for their confirmation, and whether it leaves a copy in the mailbox of its address.""",
    caller="delivery/recipient_search.py, at RCPT",
    parameters={
        "addresses": "the addresses that may answer, with catch-alls (text[])",
        "octets": "the size of the message, headers included; 1 where it was not announced",
    },
    locks="none",
    round_trips="1 for each level of aliases",
)

UNEXPANDED = statement(
    "unexpanded",
    """
    UPDATE mailstore_alias a SET unexpanded_at = now()
     WHERE a.address = :address::text
       AND (a.unexpanded_at IS NULL OR a.unexpanded_at < now() - interval '1 minute')
    """,
    purpose="""Notes that mail came for an alias which only the MTA can expand, so that its page and the overview tell
        it. An MTA that tries again all the time costs a write a minute.""",
    caller="delivery/recipient_lookup.py, behind the answer 451",
    parameters={"address": "the address of the alias"},
    locks="the alias's row",
    round_trips="1, behind the answer",
)

LOOPED = statement(
    "looped",
    """
    UPDATE mailstore_mailbox box SET looped_at = now()
     WHERE box.id = ANY(:mailbox_ids::bigint[])
       AND (box.looped_at IS NULL OR box.looped_at < now() - interval '1 minute')
    """,
    purpose="Notes that a message came back to mailboxes, so that the overview tells it. At most once a minute.",
    caller="""delivery/delivery.py, behind the answer 554, and mta_log/outcome_writer.py for each batch of a log; after
        lock""",
    parameters={"mailbox_ids": "the mailboxes (bigint[])"},
    locks="the rows of these mailboxes, which lock has in order",
    round_trips="1, behind the answer",
)

OURS = statement(
    "ours",
    """
    SELECT dom.name, dom_target.name, dom.active
      FROM mailstore_domain dom LEFT JOIN mailstore_domain dom_target ON dom_target.id = dom.stands_for_id
     WHERE dom.name = ANY(:domains::text[]) AND dom.removed_at IS NULL
    """,
    purpose="Finds which domains are hosted here, and for which other domain each stands (NULL: for none).",
    caller="delivery/recipient_search.py, for addresses that recipients did not find",
    parameters={"domains": "names of domains (text[])"},
    locks="none",
    round_trips="1",
)

RENAMES = statement(
    "renames",
    "SELECT coalesce(max(rc.renames), 0) FROM mailstore_renamecount rc",
    purpose="""Counts the renames of mailboxes and domains. Where the number is the same before and after a search for a
        recipient, all its statements saw the same names.""",
    caller="delivery/recipient_lookup.py, where a search of several statements missed a name",
    parameters={},
    locks="none",
    round_trips="1",
)

ROOM = statement(
    "room",
    f"""
    SELECT dom.over_quota FROM mailstore_domain dom
     WHERE dom.id = ANY(:domain_ids::bigint[]) AND NOT {room(":octets::bigint", domain="dom")}
    """,
    purpose="Finds the domains that have no room left below their own quota, and what each says to that.",
    caller="delivery/recipient_search.py, for recipients in domains with a quota",
    parameters={"domain_ids": "domains that have a quota (bigint[])", "octets": "the size of the message"},
    locks="none",
    round_trips="1",
)

LOCK_DOMAINS = statement(
    "lock_domains",
    """
    SELECT 1 FROM mailstore_domain dom WHERE dom.id = ANY(:domain_ids::bigint[]) ORDER BY dom.id FOR NO KEY UPDATE
    """,
    purpose="""Locks domains that have a quota, so that two deliveries to mailboxes of one domain cannot both take its
        last octets. Deliveries to other domains do not wait.""",
    caller="delivery/message_writer.py, first in the transaction of deliver_all",
    parameters={"domain_ids": "domains that have a quota (bigint[])"},
    locks="the rows of these domains, in the order of their keys",
    round_trips="none of its own: it goes with deliver_all",
)

# What describes a body.
_BODY = {
    "body_key": "the key of the body in the store",
    "wire_octets": "the size of the stored body, with stuffed dots",
    "body_octets": "the size of the body as a client counts it",
    "digest": "the digest of the stored body (bytea)",
    "has_nul": "whether the body holds NUL (boolean)",
}

ADD_BODY = statement(
    "add_body",
    """
    INSERT INTO mailstore_body (key, wire_octets, octets, digest, has_nul, created_at, unreferenced_at)
    VALUES (:body_key, :wire_octets, :body_octets, :digest::bytea, :has_nul::boolean, now(), now()) RETURNING id
    """,
    purpose="""Writes the row of a body that several recipients will share. Until a message refers to it the body
        counts as unreferenced, so that the sweep destroys it where no mailbox takes it.""",
    caller="delivery/delivery.py, for a message with several recipients",
    parameters=_BODY,
    locks="none",
    round_trips="1",
)


def takes(octets: str, *, mailbox: str, quota: str) -> str:
    """Return SQL: the mailbox under the alias `mailbox` takes a message of `octets` octets (SQL too) now.

    `quota` is SQL behind "the domain has no quota"; it may use the alias dom for the mailbox's domain.
    """
    return f"""{mailbox}.receives AND {fits(octets, mailbox=mailbox)}
           AND (SELECT dom.active AND (dom.quota_octets IS NULL{quota})
                  FROM mailstore_domain dom WHERE dom.id = {mailbox}.domain_id)"""


# What an arrival does to a mailbox, to the row of the body and to that of the message; each statement says for whom.
_COUNT_IN = """UPDATE mailstore_mailbox box
           SET change = box.change + 1, messages = box.messages + 1, octets = box.octets + :octets::bigint
         WHERE box.removed_at IS NULL"""

_NEW_BODY = """INSERT INTO mailstore_body (key, wire_octets, octets, digest, has_nul, created_at)
        SELECT :body_key::text, :wire_octets::bigint, :body_octets::bigint, :digest::bytea, :has_nul::boolean, now()"""

_NEW_MESSAGE = """INSERT INTO mailstore_message
           (mailbox_id, body_id, uidl, prefix, octets, arrived_at, aged_from, added, removed_why)"""

DELIVER = statement(
    "deliver",
    f"""
    WITH counted AS (
        {_COUNT_IN}
           AND box.id = :mailbox_id::bigint AND {takes(":octets::bigint", mailbox="box", quota="")}
     RETURNING box.id, box.change),
    stored AS (
        {_NEW_BODY} FROM counted
     RETURNING id)
    {_NEW_MESSAGE}
    SELECT counted.id, stored.id, :uidl::text, :prefix::bytea, :octets::bigint, now(), NULL, counted.change, ''
      FROM counted, stored
    RETURNING mailbox_id
    """,
    purpose="""Delivers a message with a body of its own to one mailbox, as nearly all are: quota, switches, counters,
        change number, body row and message row. No row: the mailbox refuses. A mailbox of a domain with a quota takes
        nothing by it: where the domain got its quota after RCPT, the delivery is tried again.""",
    caller="""delivery/message_writer.py; the deliveries of one turn of the loop, in the order of their mailboxes, share
        a transaction""",
    parameters={
        "mailbox_id": "the mailbox",
        "octets": "the size of the message, with its delivery headers",
        **_BODY,
        "uidl": "the UIDL of the message",
        "prefix": "its delivery headers (bytea)",
    },
    locks="the mailbox's row",
    round_trips="1, shared by all messages of the transaction",
)

# What goes into the mailboxes of domain dom, and that it fits behind the lock of the domain's row.
_GOES_IN = """:octets::bigint * (
                   SELECT count(*) FROM mailstore_mailbox box_taking
                    WHERE box_taking.id = ANY(:mailbox_ids::bigint[]) AND box_taking.domain_id = dom.id)"""
_QUOTA_KEPT = f" OR dom.id = ANY(:quota_domain_ids::bigint[]) AND {room(_GOES_IN, domain='dom')}"

DELIVER_ALL = statement(
    "deliver_all",
    f"""
    WITH fresh AS (
        INSERT INTO mailstore_importedsource (mailbox_id, source, uidl_digest, place_digest, content_digest)
        SELECT unnest(:mailbox_ids::bigint[]), :source::bytea, :uidl_digest::bytea, :place_digest::bytea,
               :content_digest::bytea
         WHERE :source::bytea IS NOT NULL
            ON CONFLICT (mailbox_id, source) DO NOTHING
     RETURNING mailbox_id),
    counted AS (
        {_COUNT_IN}
           AND box.id = ANY(:mailbox_ids::bigint[])
           AND (:unlimited::boolean OR ({takes(":octets::bigint", mailbox="box", quota=_QUOTA_KEPT)}))
           AND (:source::bytea IS NULL OR box.id IN (SELECT mailbox_id FROM fresh))
     RETURNING box.id, box.change),
    stored AS (
        {_NEW_BODY}
         WHERE :body_id::bigint IS NULL AND EXISTS (SELECT 1 FROM counted)
     RETURNING id)
    {_NEW_MESSAGE}
    SELECT counted.id, coalesce(:body_id::bigint, (SELECT id FROM stored)),
           (:uidls::text[])[array_position(:mailbox_ids::bigint[], counted.id)], :prefix::bytea, :octets::bigint,
           coalesce(:arrived_at::timestamptz, now()), CASE WHEN :arrived_at::timestamptz IS NOT NULL THEN now() END,
           CASE WHEN (SELECT count(*) FROM counted) = cardinality(:mailbox_ids::bigint[]) THEN counted.change END, ''
      FROM counted
    RETURNING mailbox_id
    """,
    purpose="""Delivers any other message, to all of some mailboxes or to none: an alias with several mailboxes, a body
        that is shared, a domain with a quota, an import. No row: the mailboxes refuse, or the source came before. Where
        only some take it, not_null_violation undoes the rest; where another import of the mailbox had the UIDL,
        unique_violation does.""",
    caller="delivery/message_writer.py, behind lock_domains and lock where it needs them",
    parameters={
        "mailbox_ids": "the mailboxes (bigint[])",
        "octets": "the size of the message, with its delivery headers",
        "body_id": "the body's row; NULL: there is none yet, and the next five describe it",
        **_BODY,
        "prefix": "the delivery headers (bytea)",
        "uidls": "a UIDL for each of the mailboxes, in their order (text[])",
        "arrived_at": "when an imported message arrived; NULL: now",
        "unlimited": "true where neither quota nor switches apply",
        "source": "what an import knows the message by (bytea); NULL: it is no import",
        "quota_domain_ids": "the domains whose quota is kept, and whose rows lock_domains has locked (bigint[])",
        "uidl_digest": "the digest of a UIDL that was made elsewhere (bytea); NULL: it was made here",
        "place_digest": "the digest of the place from which it is imported (bytea); NULL: it is no import",
        "content_digest": "the digest of the content, by which an import from another place knows it (bytea)",
    },
    locks="the rows of the mailboxes",
    round_trips="1, with the locks before it",
)

ANY_BODY = statement(
    "any_body",
    "SELECT EXISTS (SELECT 1 FROM mailstore_body)",
    purpose="Says whether anything was ever stored: if so, an empty body store is a disk that is missing.",
    caller="delivery/one_off.py, at the first start",
    locks="none",
    round_trips="1",
)

STORE_TIE = statement(
    "store_tie",
    "SELECT (SELECT store_id FROM mailstore_storetie LIMIT 1), EXISTS (SELECT 1 FROM mailstore_body)",
    purpose="Says which body store belongs to this database (NULL: none yet), and whether anything was ever stored.",
    caller="delivery/one_off.py, at the start of a listener",
    locks="none",
    round_trips="1",
)
