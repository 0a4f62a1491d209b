"""The SQL of sending limits: which are in force for a user, and the budgets from which each message takes one."""

from __future__ import annotations

from mailstore.pg.statement import statement

HOUR_SECONDS, DAY_SECONDS = 3600, 86_400

SENDING_LIMITS = statement(
    "sending_limits",
    """
    SELECT box.id, dom.id, coalesce(box.send_hourly, dom.mailbox_send_hourly),
           coalesce(box.send_daily, dom.mailbox_send_daily), dom.send_hourly, dom.send_daily,
           u.is_active AND box.smtp AND dom.active
      FROM mailstore_user u
      JOIN mailstore_mailbox box ON box.user_id = u.id
      JOIN mailstore_domain dom ON dom.id = box.domain_id
     WHERE u.address = :address AND box.removed_at IS NULL
    """,
    purpose="""Finds how many messages a mailbox and its domain may send in an hour and a day (NULL: no limit), and
        whether it may send at all.""",
    caller="delivery/sending_limit.py, for each message that a user sends",
    parameters={"address": "the address of the mailbox, as the sign-in told it to the MTA"},
    locks="none",
    round_trips="1: all, where there is no limit",
)

_HOLDERS = {
    "mailbox_id": "the mailbox",
    "domain_id": "its domain",
}

OPEN_BUDGETS = statement(
    "open_budgets",
    """
    INSERT INTO mailstore_sendingbudget (mailbox_id, domain_id, at, refused, by_domain)
    VALUES (:mailbox_id::bigint, NULL, now(), 0, false), (NULL, :domain_id::bigint, now(), 0, false)
        ON CONFLICT DO NOTHING
    """,
    purpose="Makes the budgets of a mailbox and of its domain, full, where they have none.",
    caller="delivery/sending_limit.py, first in the transaction of take_from_budgets",
    parameters=_HOLDERS,
    locks="none but its new rows: first the mailbox's, then the domain's",
    round_trips="none of its own: it goes with take_from_budgets",
)

LOCK_BUDGETS = statement(
    "lock_budgets",
    """
    SELECT 1 FROM mailstore_sendingbudget sb
     WHERE sb.mailbox_id = :mailbox_id::bigint OR sb.domain_id = :domain_id::bigint
     ORDER BY sb.mailbox_id NULLS LAST FOR NO KEY UPDATE
    """,
    purpose="Locks the two budgets, so that two messages cannot both take the last of one.",
    caller="delivery/sending_limit.py, behind open_budgets",
    parameters=_HOLDERS,
    locks="the rows of the mailbox and of its domain, in this order",
    round_trips="none of its own: it goes with take_from_budgets",
)


def _level(left: str, limit: str, seconds: int) -> str:
    """Return SQL: what is left now of a budget that fills up within `seconds`; NULL where there is no limit."""
    return f"""least({limit}, coalesce(sb.{left}, {limit})
               + {limit} * greatest(0, extract(epoch FROM now() - sb.at)) / {seconds}.0)"""


TAKE_FROM_BUDGETS = statement(
    "take_from_budgets",
    f"""
    WITH limits (mailbox_id, domain_id, hourly, daily) AS (
        VALUES (:mailbox_id::bigint, NULL::bigint, :mailbox_hourly::float8, :mailbox_daily::float8),
               (NULL, :domain_id::bigint, :domain_hourly::float8, :domain_daily::float8)),
    level AS (
        SELECT sb.id, sb.domain_id IS NOT NULL AS of_domain,
               {_level("hour_left", "limits.hourly", HOUR_SECONDS)} AS hour_left,
               {_level("day_left", "limits.daily", DAY_SECONDS)} AS day_left
          FROM mailstore_sendingbudget sb
          JOIN limits ON limits.mailbox_id = sb.mailbox_id OR limits.domain_id = sb.domain_id),
    verdict AS (
        SELECT bool_and(fits.so) AS granted, bool_or(level.of_domain AND NOT fits.so) AS by_domain
          FROM level CROSS JOIN LATERAL (
               SELECT coalesce(level.hour_left, 1) >= 1 AND coalesce(level.day_left, 1) >= 1 AS so) AS fits)
    UPDATE mailstore_sendingbudget sb
       SET at = now(), hour_left = level.hour_left - verdict.granted::int,
           day_left = level.day_left - verdict.granted::int,
           refused = CASE WHEN verdict.granted THEN sb.refused
                          WHEN sb.refused_at > now() - interval '1 day' THEN sb.refused + 1 ELSE 1 END,
           refused_at = CASE WHEN verdict.granted THEN sb.refused_at ELSE now() END,
           by_domain = CASE WHEN verdict.granted THEN sb.by_domain ELSE verdict.by_domain END
      FROM level, verdict
     WHERE sb.id = level.id
    RETURNING verdict.granted
    """,
    purpose="""Takes one message from the budgets of a mailbox and of its domain, or from none where one of them has
        less than one left. Says whether it may be sent.""",
    caller="delivery/sending_limit.py, behind lock_budgets",
    parameters={
        **_HOLDERS,
        "mailbox_hourly": "messages that the mailbox may send an hour; NULL: any number",
        "mailbox_daily": "the same for a day",
        "domain_hourly": "messages that all mailboxes of the domain may send an hour",
        "domain_daily": "the same for a day",
    },
    locks="the two rows, which lock_budgets has locked",
    round_trips="1, with the two before it",
)
