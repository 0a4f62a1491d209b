"""SQL for the policy that a mailbox follows, and since when; for every statement that judges mail by a policy."""

from __future__ import annotations

from mailstore.sql.tables import REAL, Tables


def site_policy(tables: Tables = REAL) -> str:
    """Return SQL: the key of the site's policy; NULL without one."""
    return f"(SELECT p_site.id FROM {tables.policy} p_site WHERE p_site.site)"


def followed(*, mailbox: str = "box", domain: str = "dom", policy: str = "p", tables: Tables = REAL) -> str:
    """Return SQL: `policy` is the policy that `mailbox` of `domain` follows, all three by their aliases."""
    return f"{policy}.id = coalesce({mailbox}.policy_id, {domain}.policy_id, {site_policy(tables)})"


def chosen_at(*, mailbox: str = "box", domain: str = "dom", policy: str = "p") -> str:
    """Return SQL: when the choice was made that brought `mailbox` under `policy`; NULL: no wait was asked for.

    The choice is the mailbox's own, its domain's where it has none, or else the site's. To fall back is a choice too,
    so the mailbox's own moment counts in any case.
    """
    return f"""greatest({mailbox}.policy_since, CASE WHEN {mailbox}.policy_id IS NULL THEN {domain}.policy_since END,
                    CASE WHEN coalesce({mailbox}.policy_id, {domain}.policy_id) IS NULL THEN {policy}.site_since END)"""
