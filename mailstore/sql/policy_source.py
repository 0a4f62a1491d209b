"""SQL for the policy that a mailbox follows, since when, and whether it removes mail; for all statements that judge.

`expiry_rule` says when each message leaves. A new rule of a policy belongs into `takes_mail` and `shortest_days` too.
"""

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


def takes_mail(*, policy: str = "p") -> str:
    """Return SQL: whether a rule of the policy removes mail; NULL or false if none does."""
    return (
        f"({policy}.expire_days IS NOT NULL OR {policy}.expire_confirmed_days IS NOT NULL "
        f"OR {policy}.remove_when_confirmed)"
    )


def shortest_days(*, policy: str = "p") -> str:
    """Return SQL: the shortest period after which a rule of the policy removes mail; NULL if none does."""
    return f"""least({policy}.expire_days, {policy}.expire_confirmed_days,
                CASE WHEN {policy}.remove_when_confirmed THEN {policy}.hold_days END)"""
