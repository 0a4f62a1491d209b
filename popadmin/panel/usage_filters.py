"""Conditions on the use of quotas; the overview and its lists count with the same conditions."""

from __future__ import annotations

from django.db.models import F, Q

from popadmin.web.usage_share import FULL_PERCENT, NEAR_PERCENT

NO_QUOTA = Q(quota_octets=None, quota_messages=None)


def stored(percent: int, *, octets: str = "octets") -> Q:
    """Return the condition that column `octets` has reached this percentage of the quota. No bigint can overflow.

    The whole quota is compared without arithmetic: a tenth of what the overview asks is these conditions.
    Without a quota the condition is NULL, which counts as false: never negate it.
    """
    quota = F("quota_octets")
    return Q(**{f"{octets}__gte": quota if percent == FULL_PERCENT else quota - quota / 100 * (FULL_PERCENT - percent)})


def used(percent: int) -> Q:
    """Return the condition that octets or messages of a mailbox have reached this percentage of their quota."""
    quota = F("quota_messages")
    return stored(percent) | Q(messages__gte=quota if percent == FULL_PERCENT else quota * percent / 100)


def nearly_full() -> Q:
    """Return the condition that a mailbox has reached NEAR_PERCENT of its quota, and is not full yet."""
    octets_fit = Q(quota_octets=None) | Q(octets__lt=F("quota_octets"))
    messages_fit = Q(quota_messages=None) | Q(messages__lt=F("quota_messages"))
    return used(NEAR_PERCENT) & octets_fit & messages_fit
