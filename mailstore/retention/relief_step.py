"""Relieves mailboxes that take no more mail, where their policy allows: quota lowered, or no delivery since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection

from mailstore.sql import prepared_statement
from mailstore.sql.locked_batch import locked
from mailstore.sql.policy_source import followed
from mailstore.sql.quota_relief import finding, relieving
from mailstore.sql.statements.delivery import fits
from mailstore.sql.sweep_step import Step, SweepContext

_ANY_OCTETS = "1::bigint"  # what takes not one octet is full
_FULL = """
SELECT coalesce(array_agg(box.id), '{{}}')
  FROM mailstore_mailbox box
  JOIN mailstore_domain dom ON dom.id = box.domain_id
  JOIN mailstore_retentionpolicy p ON {followed}
 WHERE {which} AND p.relief <> 'never' AND NOT box.held AND box.removed_at IS NULL AND NOT ({fits})
"""
_FIND = finding("ARRAY[%(mailbox)s]", _ANY_OCTETS)
_RELIEVE = relieving("%(mailbox)s", _ANY_OCTETS, "%(moment)s", "%(numbers)s::bigint[]")


def _act(round: SweepContext) -> tuple[int, int]:
    messages = octets = 0
    for mailbox in full("true", {}):
        count = 1
        while count and not round.stop():
            count, size = _batch(mailbox, round)
            messages += count
            octets += size
    return messages, octets


def full(which: str, parameters: Mapping[str, Any]) -> list[int]:
    """Of the mailboxes x that `which` picks, those that take no more mail, and whose policy may make room."""
    with connection.cursor() as cursor:
        cursor.execute(
            _FULL.format(which=which, followed=followed(), fits=fits(_ANY_OCTETS, mailbox="box")), parameters
        )
        keys: list[int] = cursor.fetchone()[0]
    return keys


def _batch(mailbox: int, round: SweepContext) -> tuple[int, int]:
    for _mailbox, numbers in prepared_statement.fetch(_FIND, {"mailbox": mailbox}):
        with locked([mailbox]) as free:
            for key in free:
                ((count, octets),) = prepared_statement.fetch(
                    _RELIEVE, {"mailbox": key, "numbers": numbers, "moment": round.moment()}
                )
                return count, octets
    return 0, 0


RELIEF = Step(("relieved", "relieved_octets"), None, _act, sways=lambda _round: full("true", {}), copied=_act)
