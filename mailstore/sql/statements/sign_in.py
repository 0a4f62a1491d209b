"""The SQL of a sign-in: who it is, what his device sees, how long mail stays, when he was seen last."""

from __future__ import annotations

from mailstore.pg.pipeline import Statement
from mailstore.policy.known_pairs import KNOWN_DAYS, NETWORKS_LIMIT
from mailstore.sql.statements.view import CREDENTIAL_VERSION

SITE_POLICY = "(SELECT id FROM mailstore_retentionpolicy WHERE site)"

# RFC 2449 §6.7: the days mail stays at least, whatever becomes of it under policy p of mailbox m; NULL is for ever.
# Relief is no such period, but what a full mailbox does instead of refusing mail.
EXPIRES_DAYS = """CASE WHEN NOT m.held THEN least(p.expire_days, p.expire_confirmed_days,
                CASE WHEN p.remove_when_confirmed THEN p.hold_days END) END"""

# A user with the mailbox and its devices: the main one, and the one whose selector was typed ($2; NULL for none).
# One row a device, none for an unknown user, one without a mailbox for an admin. A removed mailbox counts as suspended:
# the same reply and cost as an unknown one, but no reason to bar the network from which its owner's devices still ask.
# $3 is the network that asks, where this worker has not noted the account there within a day: was it noted before?
SIGN_IN = Statement(
    b"sign_in",
    f"""
    SELECT u.password, u.is_active AND coalesce(o.active AND m.removed_at IS NULL, true), u.address,
           m.id, m.pop, m.main_pop, m.messages, m.octets, m.change,
           {EXPIRES_DAYS},
           u.id, {CREDENTIAL_VERSION},
           CASE WHEN $3::text IS NOT NULL
                THEN (SELECT k.seen_at > now() - interval '1 day' FROM mailstore_knownnetwork k
                       WHERE k.user_id = u.id AND k.network = $3 AND k.seen_at > now() - interval '{KNOWN_DAYS} days')
           END,
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

# Which users $1 signed in from which networks $2, and when, in batches. In one order, so that two workers never wait
# for each other crosswise. A user has a bounded number of them, which the sweep cuts down to the newest.
KNOWN_NETWORKS = Statement(
    b"known_networks",
    f"""
    INSERT INTO mailstore_knownnetwork AS kept (user_id, network, seen_at)
    SELECT seen.user_id, seen.network, seen.at
      FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) AS seen (user_id, network, at)
      JOIN mailstore_user u ON u.id = seen.user_id
     WHERE (SELECT count(*) FROM mailstore_knownnetwork k WHERE k.user_id = u.id) < {NETWORKS_LIMIT}
        OR EXISTS (SELECT 1 FROM mailstore_knownnetwork k WHERE k.user_id = u.id AND k.network = seen.network)
     ORDER BY seen.user_id, seen.network
        ON CONFLICT (user_id, network) DO UPDATE SET seen_at = greatest(kept.seen_at, excluded.seen_at)
    """,
)
