"""Room in a full mailbox, where its policy allows: the oldest mail that devices have goes into recovery first."""

from __future__ import annotations

from mailstore.pg.pipeline import Statement
from mailstore.policy.retention import RELIEVED_PERCENT
from mailstore.sql.device_coverage import between, every_has, one_has
from mailstore.sql.policy_source import FOLLOWED
from mailstore.sql.statements.delivery import fits, room
from mailstore.sql.statements.removal import leaving

RELIEF_ROWS = 500  # at most by one statement: others wait for the mailbox's lock meanwhile
RELIEF_ROUNDS = 20  # at most for one message, a mailbox: what needs more is refused, and nothing moves

# From usage down to so much below the quota; in this order no bigint overflows.
_TOO_MUCH = f"{{used}} - {{quota}} + {{quota}} / 100 * {100 - RELIEVED_PERCENT}"


def _boxes(mailboxes: str, octets: str, *, part: str = "") -> str:
    """SQL of the CTE `boxes`: full mailboxes whose policy may make room for a message of `octets` octets.

    What is larger than the whole quota moves nothing. The parameters are SQL; `part` as in `possession.one_has`.
    """
    return f"""
    boxes AS MATERIALIZED (
        SELECT x.id, x.domain_id, x.octets, x.quota_octets, x.messages, x.quota_messages,
               p.relief, {one_has(part)} AS one, {every_has(part)} AS every,
               {_TOO_MUCH.format(used=f"x.octets + {octets}", quota="x.quota_octets")} AS more_octets,
               {_TOO_MUCH.format(used="x.messages + 1", quota="x.quota_messages")} AS more_messages
          FROM mailstore_mailbox x
          JOIN mailstore_domain o ON o.id = x.domain_id
          JOIN mailstore_retentionpolicy p ON {FOLLOWED}
         WHERE x.id = ANY({mailboxes}) AND p.relief <> 'never' AND NOT x.held AND x.removed_at IS NULL
           AND NOT ({fits(octets, "x")}) AND (x.quota_octets IS NULL OR {octets} <= x.quota_octets))"""


_EVERY = "b.every @> m.added"
_ONE = f"b.relief = 'one' AND m.added <@ ANY(b.one) AND NOT {_EVERY}"


def _had(rows: int) -> str:
    """SQL: of mailbox b of `boxes` the first `rows` messages that may go, as (tier, added, octets), in no order.

    First what every counting device has, then, if the policy says so, what one device has; never unfetched mail. It may
    look at all mail of the mailbox: not behind its lock.
    """

    def tier(number: int, had: str) -> str:
        return f"""
            (SELECT {number} AS tier, m.added, m.octets FROM mailstore_message m
              WHERE m.mailbox_id = b.id AND m.removed IS NULL AND {had} ORDER BY m.added LIMIT {rows})"""

    return f"""
        WITH every AS MATERIALIZED ({tier(1, _EVERY)})
        SELECT tier, added, octets
          FROM (SELECT * FROM every
                 UNION ALL
                SELECT * FROM {tier(2, _ONE)} AS one
                 WHERE (SELECT count(*) FROM every) < {rows}) AS tiers
         ORDER BY tier, added LIMIT {rows}"""


def _still_had(numbers: str) -> str:
    """SQL: the same, of those messages that were found before."""
    return f"""
        SELECT CASE WHEN {_EVERY} THEN 1 ELSE 2 END AS tier, m.added, m.octets FROM mailstore_message m
         WHERE m.mailbox_id = b.id AND m.removed IS NULL AND m.added = ANY({numbers}) AND ({_EVERY} OR {_ONE})"""


def _picked(had: str) -> str:
    """SQL of the CTE `picked`: of what may go as much as the room asks for, in its order."""
    return f"""
    picked AS (
        SELECT ranked.mailbox, ranked.added, ranked.place
          FROM (SELECT b.id AS mailbox, had.added, had.octets, b.more_octets, b.more_messages,
                       sum(had.octets) OVER oldest - had.octets AS octets_before,
                       row_number() OVER oldest AS place
                  FROM boxes b CROSS JOIN LATERAL ({had}) AS had
                WINDOW oldest AS (PARTITION BY b.id ORDER BY had.tier, had.added)) AS ranked
         WHERE ranked.octets_before < ranked.more_octets OR ranked.place <= ranked.more_messages)"""


def finding(mailboxes: str, octets: str) -> str:
    """SQL that finds, without a lock, the next round of one of the full mailboxes: its key and arrival numbers."""
    return f"""
    WITH {_boxes(mailboxes, octets)}, {_picked(_had(RELIEF_ROWS))}
    SELECT mailbox, array_agg(added) FROM picked GROUP BY mailbox ORDER BY mailbox LIMIT 1
    """


def relieving(mailbox: str, octets: str, now: str, numbers: str) -> str:
    """SQL that moves a round of a mailbox into recovery, behind LOCK, and tells how many messages and octets it was.

    Of the messages that `finding` found, those that may still go, and no more than the room asks for now.
    """
    first, last = (f"(SELECT {end}(number) FROM unnest({numbers}) AS number)" for end in ("min", "max"))
    return leaving(
        f"""
        WITH {_boxes(f"ARRAY[{mailbox}]", octets, part=between(first, last))}, {_picked(_still_had(numbers))},
        moment AS (SELECT {now}::timestamptz AS now)
        UPDATE mailstore_message m
           SET removed = x.change + 1, removed_at = moment.now, removed_why = 'relief'
          FROM mailstore_mailbox x, picked, moment
         WHERE x.id = picked.mailbox AND m.mailbox_id = picked.mailbox AND m.added = picked.added AND m.removed IS NULL
     RETURNING m.mailbox_id, m.added, m.octets""",
        of=f"= {mailbox}",
        answer="SELECT count(*), coalesce(sum(octets), 0)::bigint FROM gone",
    )


# What the rounds can make of mailbox b of `boxes`, and that it is enough, also for its domain's quota: relief goes no
# further than it has to, so what it frees there is no more than what is above its aim.
_REST = f"""
    SELECT b.quota_octets, b.octets - coalesce(sum(had.octets), 0)::bigint AS octets,
           b.quota_messages, b.messages - count(*) AS messages
      FROM ({_had(RELIEF_ROUNDS * RELIEF_ROWS)}) AS had"""
_ENOUGH = f"""EXISTS (
        SELECT FROM ({_REST}) AS rest JOIN mailstore_domain o ON o.id = b.domain_id
         WHERE {fits("$2::bigint", "rest")}
           AND (o.quota_octets IS NULL
                OR {room("$2::bigint - (b.octets - greatest(rest.octets, b.octets - b.more_octets))")}))"""

# Of the full mailboxes $1: whether one can make no room for $2 octets more, so that no other need begin; else the first
# one's next round. It locks nothing, and may look at all mail of a mailbox, so it is a writing lane's: what reads waits
# for nobody.
FIND_ROOM = Statement(
    b"find_room",
    f"""
    WITH {_boxes("$1::bigint[]", "$2::bigint")}, {_picked(_had(RELIEF_ROWS))},
    hopeless AS (
        SELECT EXISTS (
            SELECT FROM mailstore_mailbox x
             WHERE x.id = ANY($1::bigint[]) AND NOT ({fits("$2::bigint", "x")})
               AND NOT EXISTS (SELECT FROM boxes b WHERE b.id = x.id AND {_ENOUGH})) AS so)
    SELECT mailbox, array_agg(added) FROM picked, hopeless
     WHERE NOT hopeless.so GROUP BY mailbox ORDER BY mailbox LIMIT 1
    """,
)

# At delivery, behind LOCK: a round towards room in mailbox $1 for $2 octets more, of the messages $3. It runs only when
# a mailbox has refused.
RELIEVE = Statement(b"relieve", relieving("$1::bigint", "$2::bigint", "now()", "$3::bigint[]"))

WRITES = (FIND_ROOM, RELIEVE)
