"""Room in a full mailbox, where its policy allows: the oldest mail that devices have goes into recovery first."""

from __future__ import annotations

from mailstore.pg.statement import statement
from mailstore.policy.retention import RELIEVED_PERCENT
from mailstore.sql.device_coverage import between, every_has, one_has
from mailstore.sql.policy_source import followed
from mailstore.sql.statements.delivery import fits, room
from mailstore.sql.statements.removal import leaving
from mailstore.sql.tables import REAL, Tables

RELIEF_ROWS = 500  # at most by one statement, since others wait for the mailbox's lock
RELIEF_BATCHES = 20  # at most for one message, a mailbox: what needs more is refused, and nothing moves

# From usage down to so much below the quota; in this order no bigint overflows.
_TOO_MUCH = f"{{used}} - {{quota}} + {{quota}} / 100 * {100 - RELIEVED_PERCENT}"


def _boxes(mailboxes: str, octets: str, *, part: str = "", tables: Tables = REAL) -> str:
    """Return SQL of the CTE `boxes`: full mailboxes whose policy may make room for a message of `octets` octets.

    A message that is larger than the whole quota moves nothing. `mailboxes` (an array of keys) and `octets` are SQL;
    `part` is as in `device_coverage.one_has`.
    """
    return f"""
    boxes AS MATERIALIZED (
        SELECT box.id, box.domain_id, box.octets, box.quota_octets, box.messages, box.quota_messages,
               p.relief, {one_has(part, tables=tables)} AS one, {every_has(part, tables=tables)} AS every,
               {_TOO_MUCH.format(used=f"box.octets + {octets}", quota="box.quota_octets")} AS more_octets,
               {_TOO_MUCH.format(used="box.messages + 1", quota="box.quota_messages")} AS more_messages
          FROM {tables.mailbox} box
          JOIN {tables.domain} dom ON dom.id = box.domain_id
          JOIN {tables.policy} p ON {followed(tables=tables)}
         WHERE box.id = ANY({mailboxes}) AND p.relief <> 'never' AND NOT box.held AND box.removed_at IS NULL
           AND NOT ({fits(octets, mailbox="box")}) AND (box.quota_octets IS NULL OR {octets} <= box.quota_octets))"""


_EVERY = "boxes.every @> m.added"
_ONE = f"boxes.relief = 'one' AND m.added <@ ANY(boxes.one) AND NOT {_EVERY}"


def _had(rows: int, *, tables: Tables = REAL) -> str:
    """Return SQL: of a mailbox of `boxes` the first `rows` messages that may go, as (tier, added, octets), in no order.

    First comes what every counting device has, then, if the policy says so, what one device has; never mail that no
    device has fetched. It may look at all mail of the mailbox, so it does not run behind the mailbox's lock.
    """

    def tier(number: int, had: str) -> str:
        return f"""
            (SELECT {number} AS tier, m.added, m.octets FROM {tables.message} m
              WHERE m.mailbox_id = boxes.id AND m.removed IS NULL AND {had} ORDER BY m.added LIMIT {rows})"""

    return f"""
        WITH every AS MATERIALIZED ({tier(1, _EVERY)})
        SELECT tier, added, octets
          FROM (SELECT * FROM every
                 UNION ALL
                SELECT * FROM {tier(2, _ONE)} AS one
                 WHERE (SELECT count(*) FROM every) < {rows}) AS tiers
         ORDER BY tier, added LIMIT {rows}"""


def _still_had(arrivals: str, *, tables: Tables = REAL) -> str:
    """Return SQL: the same, of those messages that were found before, by their arrival numbers."""
    return f"""
        SELECT CASE WHEN {_EVERY} THEN 1 ELSE 2 END AS tier, m.added, m.octets FROM {tables.message} m
         WHERE m.mailbox_id = boxes.id AND m.removed IS NULL AND m.added = ANY({arrivals}) AND ({_EVERY} OR {_ONE})"""


def _picked(had: str) -> str:
    """Return SQL of the CTE `picked`: of what may go as much as the room asks for, in its order."""
    return f"""
    picked AS (
        SELECT ranked.mailbox, ranked.added, ranked.place
          FROM (SELECT boxes.id AS mailbox, had.added, had.octets, boxes.more_octets, boxes.more_messages,
                       sum(had.octets) OVER oldest - had.octets AS octets_before,
                       row_number() OVER oldest AS place
                  FROM boxes CROSS JOIN LATERAL ({had}) AS had
                WINDOW oldest AS (PARTITION BY boxes.id ORDER BY had.tier, had.added)) AS ranked
         WHERE ranked.octets_before < ranked.more_octets OR ranked.place <= ranked.more_messages)"""


def finding(mailboxes: str, octets: str, *, tables: Tables = REAL) -> str:
    """Return SQL that finds, without a lock, the next batch of one full mailbox: its key and arrival numbers."""
    return f"""
    WITH {_boxes(mailboxes, octets, tables=tables)}, {_picked(_had(RELIEF_ROWS, tables=tables))}
    SELECT mailbox, array_agg(added) FROM picked GROUP BY mailbox ORDER BY mailbox LIMIT 1
    """


def relieving(mailbox: str, octets: str, now: str, arrivals: str, *, tables: Tables = REAL) -> str:
    """Return SQL that moves a batch of a mailbox into recovery, behind its lock, and counts its messages and octets.

    Of the messages that `finding` found, it moves those that may still go, and no more than the room asks for now.
    """
    first, last = (f"(SELECT {end}(number) FROM unnest({arrivals}) AS number)" for end in ("min", "max"))
    return leaving(
        f"""
        WITH {_boxes(f"ARRAY[{mailbox}]", octets, part=between(first, last), tables=tables)},
        {_picked(_still_had(arrivals, tables=tables))},
        moment AS (SELECT {now}::timestamptz AS now)
        UPDATE {tables.message} m
           SET removed = box.change + 1, removed_at = moment.now, removed_why = 'relief'
          FROM {tables.mailbox} box, picked, moment
         WHERE box.id = picked.mailbox AND m.mailbox_id = picked.mailbox AND m.added = picked.added
           AND m.removed IS NULL
     RETURNING m.mailbox_id, m.added, m.octets""",
        of=f"= {mailbox}",
        answer="SELECT count(*), coalesce(sum(octets), 0)::bigint FROM gone",
        tables=tables,
    )


# What all batches together can make of a mailbox of `boxes`, and that it is enough, also for its domain's quota: relief
# goes no further than it has to, so what it frees there is no more than what is above its aim.
_REST = f"""
    SELECT boxes.quota_octets, boxes.octets - coalesce(sum(had.octets), 0)::bigint AS octets,
           boxes.quota_messages, boxes.messages - count(*) AS messages
      FROM ({_had(RELIEF_BATCHES * RELIEF_ROWS)}) AS had"""
_GOES_IN = ":octets::bigint - (boxes.octets - greatest(rest.octets, boxes.octets - boxes.more_octets))"
_ENOUGH = f"""EXISTS (
        SELECT FROM ({_REST}) AS rest JOIN mailstore_domain dom ON dom.id = boxes.domain_id
         WHERE {fits(":octets::bigint", mailbox="rest")}
           AND (dom.quota_octets IS NULL OR {room(_GOES_IN, domain="dom")}))"""

FIND_ROOM = statement(
    "find_room",
    f"""
    WITH {_boxes(":mailbox_ids::bigint[]", ":octets::bigint")}, {_picked(_had(RELIEF_ROWS))},
    hopeless AS (
        SELECT EXISTS (
            SELECT FROM mailstore_mailbox box
             WHERE box.id = ANY(:mailbox_ids::bigint[]) AND NOT ({fits(":octets::bigint", mailbox="box")})
               AND NOT EXISTS (SELECT FROM boxes WHERE boxes.id = box.id AND {_ENOUGH})) AS so)
    SELECT mailbox, array_agg(added) FROM picked, hopeless
     WHERE NOT hopeless.so GROUP BY mailbox ORDER BY mailbox LIMIT 1
    """,
    purpose="""Finds the next messages that may leave the first of some full mailboxes; no row where one of them can
        make no room, so that the others need not begin. It may look at all mail of a mailbox, so it runs on a lane
        that writes: reads wait for nothing.""",
    caller="delivery/recipient_lookup.py, when mailboxes refuse a message because they are full",
    parameters={"mailbox_ids": "the full mailboxes (bigint[])", "octets": "the size of the message"},
    locks="none",
    round_trips="1 for each batch",
)

RELIEVE = statement(
    "relieve",
    relieving(":mailbox_id::bigint", ":octets::bigint", "now()", ":arrivals::bigint[]"),
    purpose="Moves what find_room found into recovery, as far as it may still go and the room asks for it.",
    caller="delivery/recipient_lookup.py, behind lock",
    parameters={
        "mailbox_id": "the mailbox, which lock has locked",
        "octets": "the size of the message that is to fit",
        "arrivals": "the messages that find_room found, by their arrival numbers (bigint[])",
    },
    locks="the messages' rows, the mailbox's row, and the rows of devices that had hidden some of them",
    round_trips="1 for each batch, with lock",
)

WRITES = (FIND_ROOM, RELIEVE)
