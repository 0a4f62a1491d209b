"""SQL for the policy p that a mailbox x of domain o follows, and since when; for whatever judges mail."""

from __future__ import annotations

from mailstore.sql.statements.sign_in import SITE_POLICY

FOLLOWED = f"p.id = coalesce(x.policy_id, o.policy_id, {SITE_POLICY})"

# When the choice was made that brought mailbox x under p: its own, its domain's where it has none, or the site's.
# To fall back is a choice too, so its own moment counts in any case. NULL: no wait was asked for.
CHOSEN_AT = """greatest(x.policy_since, CASE WHEN x.policy_id IS NULL THEN o.policy_since END,
                     CASE WHEN coalesce(x.policy_id, o.policy_id) IS NULL THEN p.site_since END)"""
