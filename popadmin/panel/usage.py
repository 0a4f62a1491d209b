"""How much of their quotas mailboxes and domains use, as conditions: figures and the lists behind them count alike."""

from __future__ import annotations

from django.db.models import F, Q

NEAR_PERCENT = 90
NO_QUOTA = Q(quota_octets=None, quota_messages=None)


def stored(percent: int, *, octets: str = "octets") -> Q:
    """The column `octets` at this share of the row's quota, or above it. In this order no bigint overflows."""
    least = F("quota_octets") - F("quota_octets") / 100 * (100 - percent)
    return Q(**{f"{octets}__gte": least}, quota_octets__isnull=False)


def used(percent: int) -> Q:
    """Octets or messages of a mailbox at this share of their quota, or above it."""
    messages = Q(messages__gte=F("quota_messages") * percent / 100, quota_messages__isnull=False)
    return stored(percent) | messages
