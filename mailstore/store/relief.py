"""Room in a full mailbox, where its policy allows: the oldest mail that devices have goes into recovery first."""

from __future__ import annotations

from mailstore.policy.retention import RELIEVED_PERCENT
from mailstore.store.following import FOLLOWED
from mailstore.store.lane import Statement
from mailstore.store.possession import EVERY_HAS, ONE_HAS
from mailstore.store.statements.arriving import fits
from mailstore.store.statements.leaving import leaving

RELIEF_ROWS = 500  # of each tier at most by one statement, which holds the mailbox's lock: some 40 ms for both

# From usage down to so much below the quota; in this order no bigint overflows.
_TOO_MUCH = f"{{used}} - {{quota}} + {{quota}} / 100 * {100 - RELIEVED_PERCENT}"


def _picked(mailboxes: str, octets: str, now: str) -> str:
    """SQL of CTEs: `picked` (mailbox, added, octets) makes room for a message of `octets` octets in full mailboxes.

    First what every counting device has, then, if the policy says so, what one device has; never unfetched mail. What
    is larger than the whole quota moves nothing. The parameters are SQL.
    """
    tier = f"""
        SELECT m.added, m.octets, {{tier}} AS tier FROM mailstore_message m
         WHERE m.mailbox_id = b.id AND m.removed IS NULL AND {{had}} ORDER BY m.added LIMIT {RELIEF_ROWS}"""
    return f"""
    boxes AS MATERIALIZED (
        SELECT x.id, p.relief, {ONE_HAS} AS one, {EVERY_HAS} AS every,
               {_TOO_MUCH.format(used=f"x.octets + {octets}", quota="x.quota_octets")} AS more_octets,
               {_TOO_MUCH.format(used="x.messages + 1", quota="x.quota_messages")} AS more_messages
          FROM mailstore_mailbox x
          JOIN mailstore_domain o ON o.id = x.domain_id
          JOIN mailstore_retentionpolicy p ON {FOLLOWED}
         WHERE x.id = ANY({mailboxes}) AND p.relief <> 'never' AND NOT x.held AND x.removed_at IS NULL
           AND NOT ({fits(octets, "x")}) AND (x.quota_octets IS NULL OR {octets} <= x.quota_octets)),
    picked AS (
        SELECT ranked.mailbox, ranked.added, ranked.octets
          FROM (SELECT b.id AS mailbox, had.added, had.octets, b.more_octets, b.more_messages,
                       sum(had.octets) OVER oldest - had.octets AS octets_before,
                       row_number() OVER oldest - 1 AS messages_before
                  FROM boxes b
                 CROSS JOIN LATERAL (({tier.format(tier=1, had="b.every @> m.added")})
                                     UNION ALL
                                     ({
        tier.format(tier=2, had="b.relief = 'one' AND m.added <@ ANY(b.one) AND NOT b.every @> m.added")
    })) AS had
                WINDOW oldest AS (PARTITION BY b.id ORDER BY had.tier, had.added)) AS ranked
         WHERE ranked.octets_before < ranked.more_octets OR ranked.messages_before < ranked.more_messages),
    moment AS (SELECT {now}::timestamptz AS now)"""


def relieving(mailboxes: str, octets: str, now: str) -> str:
    """SQL that moves what is `picked` into recovery, behind LOCK, and tells how many messages and octets it was."""
    return leaving(
        f"""
        WITH {_picked(mailboxes, octets, now)}
        UPDATE mailstore_message m
           SET removed = x.change + 1, removed_at = moment.now, removed_why = 'relief'
          FROM mailstore_mailbox x, picked, moment
         WHERE x.id = picked.mailbox AND m.mailbox_id = picked.mailbox AND m.added = picked.added AND m.removed IS NULL
     RETURNING m.mailbox_id, m.added, m.octets""",
        of=f"= ANY({mailboxes})",
        answer="SELECT count(*), coalesce(sum(octets), 0)::bigint FROM gone",
    )


# At delivery, behind LOCK: room in the mailboxes $1 for $2 octets more. It runs only when a mailbox has refused.
RELIEVE = Statement(b"relieve", relieving("$1::bigint[]", "$2::bigint", "now()"))

WRITES = (RELIEVE,)
