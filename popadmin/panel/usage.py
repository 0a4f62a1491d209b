"""How much of its quotas a mailbox uses, as conditions: the figures and the list behind them count by the same."""

from __future__ import annotations

from django.db.models import F, Q

NEAR_PERCENT = 90
NO_QUOTA = Q(quota_octets=None, quota_messages=None)


def used(percent: int) -> Q:
    """Octets or messages at this share of their quota, or above it. In this order no bigint overflows."""
    octets = Q(octets__gte=F("quota_octets") - F("quota_octets") / 100 * (100 - percent), quota_octets__isnull=False)
    messages = Q(messages__gte=F("quota_messages") * percent / 100, quota_messages__isnull=False)
    return octets | messages
