"""The SQL of a sign-in: who the user is, what the device sees, how long mail stays, and when each signed in last."""

from __future__ import annotations

from mailstore.pg.statement import statement
from mailstore.policy.ask_budget import RETRY_MINUTES
from mailstore.policy.networks import KNOWN_DAYS, NETWORKS_LIMIT
from mailstore.sql.opened_account import names_mailbox, opened_user
from mailstore.sql.policy_source import followed, shortest_days
from mailstore.sql.statements.view import credential_version


def expires_days(*, mailbox: str, policy: str) -> str:
    """Return SQL: the least number of days that mail stays in a mailbox; NULL if it stays for ever.

    Source: RFC 2449 §6.7, EXPIRE. Relief is not counted: it has no period, and acts only when the mailbox is full.
    """
    return f"CASE WHEN NOT {mailbox}.held THEN {shortest_days(policy=policy)} END"


def asked(*, domain: str) -> str:
    """Return SQL: whether the old server of a domain is asked now."""
    return f"({domain}.old_server IS NOT NULL AND coalesce({domain}.old_server_until > now(), true))"


SIGN_IN = statement(
    "sign_in",
    f"""
    SELECT u.password, u.is_active AND coalesce(dom.active AND box.removed_at IS NULL, true), u.address,
           box.id, box.pop, box.main_pop, box.messages, box.octets, box.change,
           {expires_days(mailbox="box", policy="p")},
           u.id, {credential_version(user="u")},
           CASE WHEN :network::text IS NOT NULL
                THEN (SELECT k.seen_at > now() - interval '1 day' FROM mailstore_knownnetwork k
                       WHERE k.user_id = u.id AND k.network = :network
                         AND k.seen_at > now() - interval '{KNOWN_DAYS} days')
           END,
           d.id, d.name, d.main, d.digest, d.hidden::text, d.hidden_messages, d.hidden_octets,
           d.last_sign_in_at IS NULL,
           CASE WHEN d.last_sign_in_at > now() - interval '1 day' THEN host(d.last_client) END,
           CASE WHEN mv.mailbox_id IS NOT NULL THEN dom.old_server END, dom.old_server_local,
           mv.former_address, mv.moved_at IS NOT NULL,
           mv.state <> 'failed' OR mv.since < now() - interval '{RETRY_MINUTES} minutes', named.bare,
           box.smtp, d.may_send
      FROM (SELECT {opened_user(":address")} AS user_id,
                   :bare_name::text IS NOT NULL AND {names_mailbox(":bare_name")} AS bare) AS named
      LEFT JOIN mailstore_user u ON u.id = named.user_id
      LEFT JOIN mailstore_mailbox box ON box.user_id = u.id
      LEFT JOIN mailstore_domain dom ON dom.id = box.domain_id
      LEFT JOIN mailstore_mailboxmove mv ON mv.mailbox_id = box.id AND mv.state <> 'moved'
           AND NOT (mv.state = 'failed' AND mv.moved_at IS NOT NULL) AND {asked(domain="dom")}
      LEFT JOIN mailstore_retentionpolicy p ON {followed()}
      LEFT JOIN mailstore_device d ON d.mailbox_id = box.id AND d.revoked_at IS NULL
           AND (d.main OR d.selector = :selector)
    """,
    purpose="""Finds the user whom a name opens, with the mailbox and its devices: the main one, and the one whose
        selector was typed. One row a device; one without a mailbox for an unknown user and for an
        administrator. The column `bare` says whether the name, typed without a domain, is the local part of a
        mailbox anywhere: no reason to bar a network. A removed mailbox counts as suspended: reply and cost are
        those of an unknown one, but it is no reason to bar the network from which its owner's devices still
        ask. A mailbox that is not moved yet has the URL of its old server, and its name there if it was renamed.""",
    caller="maildrop/sign_in.py, for each sign-in",
    parameters={
        "address": "the normal form of the address that was typed",
        "bare_name": "the normal form of a name that was typed without a domain; NULL for any other",
        "selector": "the selector within a device's secret; NULL where none was typed",
        "network": """the network of the client, to say whether it was noted for the user within a month and within a
            day; NULL where this worker knows that already""",
    },
    locks="none",
    round_trips="1: the whole sign-in, STAT included, where no slow hash is needed",
)

MAILBOX_OF = statement(
    "mailbox_of",
    f"SELECT box.id FROM mailstore_mailbox box WHERE box.user_id = {opened_user(':address')}",
    purpose="Finds the mailbox that a name opens, for the diary of a sign-in that could not be read.",
    caller="maildrop/sign_in_refusal.py, behind the refusal",
    parameters={"address": "the normal form of the address that was typed"},
    locks="none",
    round_trips="1",
)

OWN_HASH = statement(
    "own_hash",
    """
    UPDATE mailstore_user u SET password = :own::text
     WHERE u.id = (SELECT u_same.id FROM mailstore_user u_same
                    WHERE u_same.id = :user_id::bigint AND u_same.password = :foreign::text
                      FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING u.id
    """,
    purpose="""Replaces a hash that another server made by our own of the same password. A password that was changed
        meanwhile stays. The version of the password stays too, so no session ends. A row that is being changed is
        passed over: then the answer is empty, and a later sign-in tries again.""",
    caller="maildrop/own_hashes.py, once, behind the answer to the first right password",
    parameters={"user_id": "the user", "foreign": "the hash that was compared", "own": "the new hash"},
    locks="the row of the user, unless somebody has it: it never waits",
    round_trips="1",
)

SITE_EXPIRY = statement(
    "site_expiry",
    f"""
    SELECT min(kept.days), count(DISTINCT coalesce(kept.days, -1)) > 1
      FROM (SELECT {expires_days(mailbox="boxes", policy="p")} AS days
              FROM (SELECT DISTINCT domain_id, policy_id, held FROM mailstore_mailbox WHERE removed_at IS NULL) AS boxes
              JOIN mailstore_domain dom ON dom.id = boxes.domain_id
              LEFT JOIN mailstore_retentionpolicy p ON {followed(mailbox="boxes")}
           ) AS kept
    """,
    purpose="""Finds the shortest time that a mailbox keeps mail (NULL: for ever), and whether mailboxes differ. A
        policy that no mailbox follows does not count; a mailbox on hold, or without a policy, keeps all mail. It is one
        pass over the mailboxes: a probe for each policy is quicker as long as the planner guesses right, and takes
        seconds when it does not.""",
    caller="maildrop/accounts.py, now and then, for CAPA before a sign-in",
    locks="none",
    round_trips="1",
)

MOVING_DOMAINS = statement(
    "moving_domains",
    f"""
    SELECT dom.name, CASE WHEN {asked(domain="dom")} THEN dom.old_server
                          WHEN {asked(domain="dom_behind")} THEN dom_behind.old_server END
      FROM mailstore_domain dom LEFT JOIN mailstore_domain dom_behind ON dom_behind.id = dom.stands_for_id
     WHERE {asked(domain="dom")} OR {asked(domain="dom_behind")}
        OR coalesce(dom_behind.alias_sign_in, dom.alias_sign_in)
       AND EXISTS (SELECT FROM mailstore_domain dom_moving WHERE {asked(domain="dom_moving")})
    """,
    purpose="""Finds the domains with names that may open a mailbox that moves, with the old server (NULL: aliases there
        may lead to any): all refusals in them take the same time and get one reply, since some ask it.""",
    caller="maildrop/moving_domains.py, now and then",
    locks="none",
    round_trips="1",
)

SIGHTINGS = statement(
    "sightings",
    """
    WITH noted AS (
        UPDATE mailstore_device d
           SET last_sign_in_at = seen.at, last_client = seen.client, silence_notified_at = NULL, silent_since = NULL
          FROM unnest(:device_ids::bigint[], :times::timestamptz[], :clients::inet[]) AS seen (device, at, client)
         WHERE d.id = seen.device
           AND d.id IN (SELECT id FROM mailstore_device WHERE id = ANY(:device_ids::bigint[])
                           FOR NO KEY UPDATE SKIP LOCKED)
     RETURNING d.mailbox_id, d.last_sign_in_at),
    free AS (
        SELECT box.id
          FROM mailstore_mailbox box JOIN noted ON noted.mailbox_id = box.id
         WHERE box.last_sign_in_at IS NULL OR box.last_sign_in_at < noted.last_sign_in_at - interval '5 minutes'
           FOR NO KEY UPDATE OF box SKIP LOCKED)
    UPDATE mailstore_mailbox box SET last_sign_in_at = noted.last_sign_in_at
      FROM noted WHERE box.id = noted.mailbox_id AND box.id IN (SELECT id FROM free)
    """,
    purpose="""Notes when devices signed in last, in batches; a silent device counts again. The mailboxes are noted too,
        for the panel's lists, but not more often than once in five minutes. A row that is being changed is passed
        over.""",
    caller="maildrop/last_sign_in.py, every second or so",
    parameters={
        "device_ids": "the devices (bigint[])",
        "times": "when each signed in (timestamptz[])",
        "clients": "the address that each came from, or NULL (inet[])",
    },
    locks="the rows of devices and mailboxes that nobody has locked: it never waits",
    round_trips="1 for a batch",
)

KNOWN_NETWORKS = statement(
    "known_networks",
    f"""
    INSERT INTO mailstore_knownnetwork AS k (user_id, network, seen_at)
    SELECT seen.user_id, seen.network, seen.at
      FROM unnest(:user_ids::bigint[], :networks::text[], :times::timestamptz[]) AS seen (user_id, network, at)
      JOIN mailstore_user u ON u.id = seen.user_id
     WHERE (SELECT count(*) FROM mailstore_knownnetwork k_had WHERE k_had.user_id = u.id) < {NETWORKS_LIMIT}
        OR EXISTS (SELECT 1 FROM mailstore_knownnetwork k_had
                    WHERE k_had.user_id = u.id AND k_had.network = seen.network)
     ORDER BY seen.user_id, seen.network
        ON CONFLICT (user_id, network) DO UPDATE SET seen_at = greatest(k.seen_at, excluded.seen_at)
    """,
    purpose="""Notes which users signed in from which networks, and when, in batches. A user has a bounded number of
        networks, which the sweep cuts down to the newest.""",
    caller="maildrop/last_sign_in.py, in the transaction of sightings",
    parameters={
        "user_ids": "the users (bigint[])",
        "networks": "the network that each came from (text[])",
        "times": "when (timestamptz[])",
    },
    locks="its rows, in one order, so that two workers never wait for each other crosswise",
    round_trips="none of its own: it goes with sightings",
)
