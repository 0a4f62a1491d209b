"""SQL for who has what of a mailbox x: sets of arrival numbers, made once a mailbox and not once a message."""

from __future__ import annotations

from mailstore.sql.statements.view import COUNTS

# The same of one device v and one message m: it has what it fetched or deleted, and waits for what it neither has nor
# left out.
HAS = "(v.confirmed @> m.added OR v.hidden @> m.added AND NOT v.skipped @> m.added)"
WAITS = "NOT (v.confirmed @> m.added OR v.hidden @> m.added)"


def between(first: str, last: str) -> str:
    """SQL behind a set: the part of it from the number `first` to `last` (SQL too).

    Of one that is scattered over a large mailbox, the whole takes longer than all that is then asked of it.
    """
    return f"* int8multirange(int8range({first}, {last}, '[]'))"


def _has(part: str) -> str:
    """What a device's start left out, it never had; but it does not wait for it either."""
    return f"v.hidden {part} - v.skipped + v.confirmed {part}"


def one_has(part: str = "") -> str:
    """SQL: what devices have that are believed to keep it: not revoked, no peeking ones; also those that are silent.

    A set each, to be asked by `<@ ANY`: making one of them takes longer than all the looks into them. `part` is the
    `between` that matters.
    """
    return f"""
    (SELECT array_agg({_has(part)}) FROM mailstore_device v
      WHERE v.mailbox_id = x.id AND v.revoked_at IS NULL AND v.mode <> 'peek')"""


def every_has(part: str = "") -> str:
    """SQL: what every device that counts has, or left out, and one of them has. Nothing where no device counts."""
    every = f"v.hidden {part} + v.confirmed {part}"
    return f"""
    coalesce((SELECT range_intersect_agg({every}) FROM mailstore_device v WHERE {COUNTS}), '{{}}')
  * coalesce((SELECT range_agg(has) FROM mailstore_device v, unnest({_has(part)}) AS has WHERE {COUNTS}), '{{}}')"""
