"""How much of their quotas mailboxes and domains use, as conditions: figures and the lists behind them count alike."""

from __future__ import annotations

from django.db.models import F, Q

NEAR_PERCENT = 90
WHOLE = 100  # compared without arithmetic: a tenth of what the overview asks is these conditions
NO_QUOTA = Q(quota_octets=None, quota_messages=None)


def stored(percent: int, *, octets: str = "octets") -> Q:
    """The column `octets` at this share of the row's quota, or above it. In this order no bigint overflows.

    Without a quota it is unknown, which is as good as false: these are never negated.
    """
    quota = F("quota_octets")
    return Q(**{f"{octets}__gte": quota if percent == WHOLE else quota - quota / 100 * (WHOLE - percent)})


def used(percent: int) -> Q:
    """Octets or messages of a mailbox at this share of their quota, or above it."""
    quota = F("quota_messages")
    return stored(percent) | Q(messages__gte=quota if percent == WHOLE else quota * percent / 100)
