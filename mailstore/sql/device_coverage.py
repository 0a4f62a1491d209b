"""SQL for what the devices of a mailbox have: sets of arrival numbers, made once a mailbox and not once a message."""

from __future__ import annotations

from mailstore.sql.statements.view import counts
from mailstore.sql.tables import REAL, Tables


def has(*, device: str = "d", message: str = "m") -> str:
    """Return SQL: a device has a message, because it fetched or deleted it."""
    return f"""({device}.confirmed @> {message}.added
        OR {device}.hidden @> {message}.added AND NOT {device}.skipped @> {message}.added)"""


def waits(*, device: str = "d", message: str = "m") -> str:
    """Return SQL: a device waits for a message, which it neither has nor left out."""
    return f"NOT ({device}.confirmed @> {message}.added OR {device}.hidden @> {message}.added)"


def between(first: str, last: str) -> str:
    """Return SQL behind a set: the part of it from the number `first` to `last` (SQL too).

    A set that is scattered over a large mailbox takes longer to unpack than to search.
    """
    return f"* int8multirange(int8range({first}, {last}, '[]'))"


def one_has(part: str = "", *, mailbox: str = "box", tables: Tables = REAL) -> str:
    """Return SQL: what each device of a mailbox has, except revoked and peeking ones. A silent device is included.

    It is an array of sets, one a device, for `<@ ANY`. A union of the sets would take longer than all looks into them.
    `part` is the `between` that matters.
    """
    return f"""
    (SELECT array_agg({_has(part)}) FROM {tables.device} d
      WHERE d.mailbox_id = {mailbox}.id AND d.revoked_at IS NULL AND d.mode <> 'peek')"""


def every_has(part: str = "", *, mailbox: str = "box", tables: Tables = REAL) -> str:
    """Return SQL: the messages that every counting device has or left out, and that at least one of them has.

    It is empty if no device counts.
    """
    every = f"d.hidden {part} + d.confirmed {part}"
    counting = counts(device="d", mailbox=mailbox)
    return f"""
    coalesce((SELECT range_intersect_agg({every}) FROM {tables.device} d WHERE {counting}), '{{}}')
  * coalesce((SELECT range_agg(has) FROM {tables.device} d, unnest({_has(part)}) AS has WHERE {counting}), '{{}}')"""


def _has(part: str) -> str:
    """Return SQL: what a device has fetched or deleted. What its start left out (`skipped`) is not in it."""
    return f"d.hidden {part} - d.skipped + d.confirmed {part}"
