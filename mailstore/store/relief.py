"""Room in a full mailbox, where its policy allows: the oldest mail that devices have goes into recovery first."""

from __future__ import annotations

from mailstore.policy.retention import RELIEVED_PERCENT
from mailstore.store.following import FOLLOWED
from mailstore.store.lane import Statement
from mailstore.store.possession import EVERY_HAS, ONE_HAS
from mailstore.store.statements.arriving import fits
from mailstore.store.statements.leaving import leaving

RELIEF_ROWS = 500  # at most by one statement: others wait for the mailbox's lock meanwhile
RELIEF_ROUNDS = 20  # at most for one message, a mailbox: what needs more is refused, and nothing moves

# From usage down to so much below the quota; in this order no bigint overflows.
_TOO_MUCH = f"{{used}} - {{quota}} + {{quota}} / 100 * {100 - RELIEVED_PERCENT}"


def _boxes(mailboxes: str, octets: str) -> str:
    """SQL of the CTE `boxes`: full mailboxes whose policy may make room for a message of `octets` octets.

    What is larger than the whole quota moves nothing. The parameters are SQL.
    """
    return f"""
    boxes AS MATERIALIZED (
        SELECT x.id, x.octets, x.quota_octets, x.messages, x.quota_messages,
               p.relief, {ONE_HAS} AS one, {EVERY_HAS} AS every,
               {_TOO_MUCH.format(used=f"x.octets + {octets}", quota="x.quota_octets")} AS more_octets,
               {_TOO_MUCH.format(used="x.messages + 1", quota="x.quota_messages")} AS more_messages
          FROM mailstore_mailbox x
          JOIN mailstore_domain o ON o.id = x.domain_id
          JOIN mailstore_retentionpolicy p ON {FOLLOWED}
         WHERE x.id = ANY({mailboxes}) AND p.relief <> 'never' AND NOT x.held AND x.removed_at IS NULL
           AND NOT ({fits(octets, "x")}) AND (x.quota_octets IS NULL OR {octets} <= x.quota_octets))"""


def _had(rows: int) -> str:
    """SQL: of mailbox b of `boxes` the first `rows` messages that may go, as (tier, added, octets), in no order.

    First what every counting device has, then, if the policy says so, what one device has; never unfetched mail.
    """

    def tier(number: int, had: str) -> str:
        return f"""
            (SELECT {number} AS tier, m.added, m.octets FROM mailstore_message m
              WHERE m.mailbox_id = b.id AND m.removed IS NULL AND {had} ORDER BY m.added LIMIT {rows})"""

    return f"""
        WITH every AS MATERIALIZED ({tier(1, "b.every @> m.added")})
        SELECT tier, added, octets
          FROM (SELECT * FROM every
                 UNION ALL
                SELECT * FROM {tier(2, "b.relief = 'one' AND m.added <@ ANY(b.one) AND NOT b.every @> m.added")} AS one
                 WHERE (SELECT count(*) FROM every) < {rows}) AS tiers
         ORDER BY tier, added LIMIT {rows}"""


def _enough(octets: str) -> str:
    """SQL: all that the rounds can move out of mailbox b of `boxes` makes the room, or nothing needs to move at all."""
    return f"""EXISTS (
        SELECT FROM (
            SELECT b.quota_octets, b.octets - coalesce(sum(had.octets), 0)::bigint AS octets,
                   b.quota_messages, b.messages - count(*) AS messages
              FROM ({_had(RELIEF_ROUNDS * RELIEF_ROWS)}) AS had) AS rest
         WHERE {fits(octets, "rest")})"""


def relieving(mailboxes: str, octets: str, now: str, *, where: str = "true") -> str:
    """SQL that moves a round into recovery, behind LOCK, and tells how many messages and octets it was.

    At most RELIEF_ROWS of each mailbox b of `boxes` for which `where` holds, and no more than its room asks for.
    """
    return leaving(
        f"""
        WITH {_boxes(mailboxes, octets)},
        picked AS (
            SELECT ranked.mailbox, ranked.added, ranked.octets
              FROM (SELECT b.id AS mailbox, had.added, had.octets, b.more_octets, b.more_messages,
                           sum(had.octets) OVER oldest - had.octets AS octets_before,
                           row_number() OVER oldest - 1 AS messages_before
                      FROM boxes b CROSS JOIN LATERAL ({_had(RELIEF_ROWS)}) AS had
                     WHERE {where}
                    WINDOW oldest AS (PARTITION BY b.id ORDER BY had.tier, had.added)) AS ranked
             WHERE ranked.octets_before < ranked.more_octets OR ranked.messages_before < ranked.more_messages),
        moment AS (SELECT {now}::timestamptz AS now)
        UPDATE mailstore_message m
           SET removed = x.change + 1, removed_at = moment.now, removed_why = 'relief'
          FROM mailstore_mailbox x, picked, moment
         WHERE x.id = picked.mailbox AND m.mailbox_id = picked.mailbox AND m.added = picked.added AND m.removed IS NULL
     RETURNING m.mailbox_id, m.added, m.octets""",
        of=f"= ANY({mailboxes})",
        answer="SELECT count(*), coalesce(sum(octets), 0)::bigint FROM gone",
    )


# Of the full mailboxes $1: whether one can make no room for $2 octets more, so that no other need begin. It locks
# nothing, and may look at all mail of a mailbox, so it is a writing lane's: what reads waits for nobody.
HOPELESS = Statement(
    b"hopeless",
    f"""
    WITH {_boxes("$1::bigint[]", "$2::bigint")}
    SELECT EXISTS (
        SELECT FROM mailstore_mailbox x
         WHERE x.id = ANY($1::bigint[]) AND NOT ({fits("$2::bigint", "x")})
           AND NOT EXISTS (SELECT FROM boxes b WHERE b.id = x.id AND {_enough("$2::bigint")}))
    """,
)

# At delivery, behind LOCK: a round towards room in the mailboxes $1 for $2 octets more, judged as by HOPELESS. It runs
# only when a mailbox has refused.
RELIEVE = Statement(b"relieve", relieving("$1::bigint[]", "$2::bigint", "now()", where=_enough("$2::bigint")))

WRITES = (HOPELESS, RELIEVE)
