"""The SQL that writes the trace: what senders were answered. It reads what explains a refusal, and changes no mail."""

from __future__ import annotations

from mailstore.pg.statement import statement

# What explains a name that neither mailbox nor alias has, and a mailbox that takes nothing.
_REASON = """CASE one.reason
            WHEN 'unknown' THEN coalesce(
                (SELECT CASE WHEN a.expires_at <= now() THEN 'alias-expired' ELSE 'alias-off' END
                   FROM mailstore_alias a
                  WHERE a.address = ANY(string_to_array(one.names, E'\\n'))
                    AND (NOT a.active OR a.expires_at <= now()) LIMIT 1),
                (SELECT 'removed' FROM mailstore_user u JOIN mailstore_mailbox box_gone ON box_gone.user_id = u.id
                  WHERE u.address = ANY(string_to_array(one.names, E'\\n'))
                    AND box_gone.removed_at IS NOT NULL LIMIT 1),
                CASE WHEN dom.id IS NULL THEN 'no-domain' ELSE 'unknown' END)
            WHEN 'closed' THEN CASE WHEN box.receives IS FALSE THEN 'closed' ELSE 'domain-off' END
            ELSE one.reason END"""

# The copies of a folded refusal are folded too: each has a key of its own, made of that of the first row.
_KEY = """CASE WHEN is_copy THEN
                substring(sha256(fold_key || int8send(coalesce(in_mailbox, 0)) || int8send(coalesce(of_domain, 0)))
                          FROM 1 FOR 16)
                ELSE fold_key END"""

TRACE = statement(
    "trace",
    f"""
    WITH given AS (
        SELECT one.*, {_REASON} AS why,
               coalesce(dom.stands_for_id, dom.id) AS domain_id, box.domain_id AS box_domain_id,
               row_number() OVER (PARTITION BY one.entry, box.domain_id ORDER BY one.place) = 1 AS first_there
          FROM unnest(:entries::int[], :places::int[], :at::timestamptz[], :first_at::timestamptz[], :tries::bigint[],
                      :sources::text[], :answers::text[], :reasons::text[], :replies::text[], :senders::text[],
                      :recipients::text[], :names::text[], :domains::text[], :mailbox_ids::bigint[], :uidls::text[],
                      :mailbox_counts::int[], :vias::text[], :octets::bigint[], :announced_octets::bigint[],
                      :message_ids::text[], :queue_ids::text[], :mta_ids::text[], :clients::text[], :origins::text[],
                      :pairs::bigint[], :fold_keys::bytea[])
               AS one (entry, place, at, first_at, tries, source, answer, reason, reply, sender,
                       recipient, names, domain, mailbox, uidl, mailbox_count, via, octets, announced,
                       message_id, queue_id, mta_id, client, origin, pair, fold_key)
          LEFT JOIN mailstore_domain dom ON dom.name = one.domain AND dom.removed_at IS NULL
          LEFT JOIN mailstore_mailbox box ON box.id = one.mailbox),
    placed AS (
        SELECT given.*, given.mailbox AS in_mailbox, given.uidl AS has_uidl, false AS is_copy,
               given.domain_id AS of_domain
          FROM given WHERE place = 0
         UNION ALL
        SELECT given.*, given.mailbox, given.uidl, true,
               CASE WHEN first_there AND box_domain_id IS DISTINCT FROM domain_id THEN box_domain_id END
          FROM given WHERE place > 0
         UNION ALL
        SELECT given.*, NULL, '', true, box_domain_id
          FROM given WHERE place = 0 AND box_domain_id IS DISTINCT FROM domain_id AND box_domain_id IS NOT NULL)
    INSERT INTO mailstore_traceentry AS te
           (at, first_at, tries, source, answer, reason, reply, sender, recipient, domain_id, mailbox_id, copy,
            mailbox_count, via, octets, announced_octets, message_id, queue_id, uidl, mta_id, client, origin,
            pair, fold_key)
    SELECT at, first_at, tries, source, answer, why, reply, sender, recipient, of_domain, in_mailbox, is_copy,
           mailbox_count, coalesce(string_to_array(nullif(via, ''), E'\\n'), '{{}}'), octets, announced, message_id,
           queue_id, has_uidl, mta_id, client, origin, pair, {_KEY}
      FROM placed ORDER BY entry, place, is_copy
        ON CONFLICT (fold_key) DO UPDATE
       SET tries = te.tries + excluded.tries, at = greatest(te.at, excluded.at),
           first_at = least(te.first_at, excluded.first_at)
    """,
    purpose="""Writes a batch of the trace: for each recipient a row, and further rows for each further mailbox and each
        further domain that an alias leads into. It finds out what a lookup does not say: that an unknown name is an
        expired alias, a removed mailbox or in a domain of others, and whether mailbox or domain is switched off.
        Folded refusals are added to their row.""",
    caller="delivery/trace_writer.py, every second at most; mta_log/refused_recipients.py for each batch of a log",
    parameters={
        "entries": "the answer that each row belongs to, a number within the batch (int[])",
        "places": "the place of the mailbox among those of the answer, from 0 (int[])",
        "at": "when it was given last (timestamptz[])",
        "first_at": "when it was given first (timestamptz[])",
        "tries": "how often (bigint[])",
        "sources": "how the message came (text[])",
        "answers": "the answers (text[])",
        "reasons": "the reasons as the delivery knows them, '' for none (text[])",
        "replies": "the replies on the wire (text[])",
        "senders": "the senders, '' for the null sender (text[])",
        "recipients": "the recipients as they were given (text[])",
        "names": "of refused names the normal forms that could be an alias, a line each (text[])",
        "domains": "the domains of the recipients in normal form, '' for none (text[])",
        "mailbox_ids": "a mailbox that it is about, or NULL (bigint[])",
        "uidls": "the UIDL of the message in that mailbox, '' for none (text[])",
        "mailbox_counts": "how many mailboxes the answer is about (int[])",
        "vias": "the domain and the alias that led there, a line each (text[])",
        "octets": "the size of the message, or NULL (bigint[])",
        "announced_octets": "its size as announced, or NULL (bigint[])",
        "message_ids": "its Message-ID, '' for none (text[])",
        "queue_ids": "our queue id, '' where nothing was stored (text[])",
        "mta_ids": "the queue id of the MTA, '' where it did not tell (text[])",
        "clients": "who delivered to us (text[])",
        "origins": "the server that sent it to the MTA, '' where it did not tell (text[])",
        "pairs": "a digest of sender, recipient and announced size, by which tries are found (bigint[])",
        "fold_keys": "the key of the row that a refusal is folded into, or NULL (bytea[])",
    },
    locks="the rows that refusals are folded into",
    round_trips="1 for a batch, with batch before it",
)
