"""How far the reading of all bodies has to be at a moment, so that one round takes its days. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

OCTETS_PER_SECOND = 32 * 1024 * 1024  # a disk that turns still serves others beside that
SHARE_SECONDS = 10  # one of so many seconds since the last look is spent on reading
LEAST_SECONDS = 5.0
MOST_SECONDS = 600.0  # a timer that runs once a day: others wait for the sweep no longer than that


def until(*, after: int, last: int, began_at: datetime, looked_at: datetime, now: datetime, days: int) -> int:
    """Return the key up to which bodies are due, of the keys behind `after` up to the `last` there is now.

    What came in meanwhile is in the same round, so no body waits longer than `days` for its first reading.
    """
    left = began_at + timedelta(days=days) - looked_at
    passed = now - looked_at
    if left <= passed:
        return max(after, last)
    return max(after, after + int((last - after) * (max(passed, timedelta()) / left)))


def seconds(passed: timedelta) -> float:
    """Return how long one look may take, after so much time without one."""
    return min(MOST_SECONDS, max(LEAST_SECONDS, passed.total_seconds() / SHARE_SECONDS))
