"""How much of a quota or a limit is used, in whole percents, and from where on that is told apart."""

from __future__ import annotations

NEAR_PERCENT, FULL_PERCENT = 90, 100


def share_percent(used: int, most: int | None) -> int | None:
    """Return whole percents, rounded down, so that 100 appears only when they are reached; None without a limit."""
    if most is None:
        return None
    return used * 100 // most if most else FULL_PERCENT


def share_level(percent: int | None) -> str:
    """Return how a share is shown: bad if all is used, warn from NEAR_PERCENT on, else plain."""
    percent = percent or 0
    return "bad" if percent >= FULL_PERCENT else "warn" if percent >= NEAR_PERCENT else ""
