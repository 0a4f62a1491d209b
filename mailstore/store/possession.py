"""SQL for who has what of a mailbox x: sets of arrival numbers, made once a mailbox and not once a message."""

from __future__ import annotations

from mailstore.store.statements.viewing import COUNTS

# What a device's start left out, it never had; but it does not wait for it either.
_HAS = "v.hidden - v.skipped + v.confirmed"

# The same of one device v and one message m: it has what it fetched or deleted, and waits for what it neither has nor
# left out.
HAS = "(v.confirmed @> m.added OR v.hidden @> m.added AND NOT v.skipped @> m.added)"
WAITS = "NOT (v.confirmed @> m.added OR v.hidden @> m.added)"

# What devices have that are believed to keep it: not revoked, no peeking ones; also those that are silent. A set each,
# to be asked by `<@ ANY`: making one of them takes longer than all the looks into them.
ONE_HAS = f"""
    (SELECT array_agg({_HAS}) FROM mailstore_device v
      WHERE v.mailbox_id = x.id AND v.revoked_at IS NULL AND v.mode <> 'peek')"""

# What every device that counts has, or left out, and one of them has. Nothing where no device counts.
EVERY_HAS = f"""
    coalesce((SELECT range_intersect_agg(v.hidden + v.confirmed) FROM mailstore_device v WHERE {COUNTS}), '{{}}')
  * coalesce((SELECT range_agg(has) FROM mailstore_device v, unnest({_HAS}) AS has WHERE {COUNTS}), '{{}}')"""
