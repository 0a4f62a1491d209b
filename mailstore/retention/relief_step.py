"""The step that makes room in full mailboxes, where their policy allows it.

A delivery makes room itself. This step is for a quota that was lowered, and for a mailbox without a delivery since.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import connection

from mailstore.sql import prepared_statement
from mailstore.sql.django_statement import django_statement
from mailstore.sql.locked_batch import locked
from mailstore.sql.policy_source import followed
from mailstore.sql.quota_relief import finding, relieving
from mailstore.sql.statements.delivery import fits
from mailstore.sql.sweep_step import Step, SweepContext
from mailstore.sql.tables import REAL, Tables

_ANY_OCTETS = "1::bigint"  # a mailbox that takes not even one octet is full
_RELIEVING = ("%(mailbox)s", _ANY_OCTETS, "%(moment)s", "%(arrivals)s::bigint[]")


@cache
def _finding(tables: Tables) -> str:
    return finding("ARRAY[%(mailbox)s]", _ANY_OCTETS, tables=tables)


@cache
def _relieving(tables: Tables) -> str:
    return relieving(*_RELIEVING, tables=tables)


FIND_RELIEF = django_statement(
    "find_relief",
    _finding,
    purpose="Finds the next messages that may leave a full mailbox, without a lock.",
    caller="retention/relief_step.py",
    parameters={"mailbox": "the full mailbox"},
    locks="none",
    round_trips="1 for each batch",
)
RELIEVE_BATCH = django_statement(
    "relieve_batch",
    _relieving,
    purpose="Moves those of the messages that were found into recovery that may still go, until the mailbox has room.",
    caller="retention/relief_step.py",
    parameters={
        "mailbox": "the mailbox, which is locked now",
        "arrivals": "the arrival numbers that find_relief found (bigint[])",
        "moment": "the present time, to record",
    },
    locks="the messages' rows, and the rows of devices that had hidden some of them",
    round_trips="1 for each batch, behind the lock of the mailbox",
)


def _act(context: SweepContext) -> tuple[int, int]:
    messages = octets = 0
    for mailbox in full("true", {}, context.tables):
        count = 1
        while count and not context.stop():
            count, size = _batch(mailbox, context)
            messages += count
            octets += size
    return messages, octets


def full(which: str, parameters: Mapping[str, Any], tables: Tables = REAL) -> list[int]:
    """Return the full mailboxes (`box` in SQL) that `which` picks and that may make room by their policy."""
    statement = f"""
SELECT coalesce(array_agg(box.id), '{{}}')
  FROM {tables.mailbox} box
  JOIN {tables.domain} dom ON dom.id = box.domain_id
  JOIN {tables.policy} p ON {followed(tables=tables)}
 WHERE {which} AND p.relief <> 'never' AND NOT box.held AND box.removed_at IS NULL
   AND NOT ({fits(_ANY_OCTETS, mailbox="box")})
"""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        keys: list[int] = cursor.fetchone()[0]
    return keys


def _batch(mailbox: int, context: SweepContext) -> tuple[int, int]:
    for _mailbox, arrivals in prepared_statement.fetch(FIND_RELIEF.on(context.tables), {"mailbox": mailbox}):
        with locked([mailbox], context.tables) as free:
            for key in free:
                ((count, octets),) = prepared_statement.fetch(
                    RELIEVE_BATCH.on(context.tables), {"mailbox": key, "arrivals": arrivals, "moment": context.moment()}
                )
                return count, octets
    return 0, 0


RELIEF = Step(("relieved", "relieved_octets"), None, _act, coupled=lambda _context: full("true", {}), on_copies=_act)
