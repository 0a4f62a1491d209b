"""Schedule the reading of all bodies, so that one pass over the store takes a given number of days. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

OCTETS_PER_SECOND = 32 * 1024 * 1024  # a rotating disk can still serve others meanwhile
SHARE_SECONDS = 10  # reading takes one of so many seconds since the last run
LEAST_SECONDS = 5.0
MOST_SECONDS = 600.0  # of a timer that runs once a day; others do not wait longer for the sweep


def until(*, after: int, last: int, began_at: datetime, looked_at: datetime, now: datetime, days: int) -> int:
    """Return the key up to which bodies are due, out of the keys above `after` up to the present `last`.

    The pass includes bodies that came since it began, so no body waits longer than `days` for its first reading.
    """
    left = began_at + timedelta(days=days) - looked_at
    passed = now - looked_at
    if left <= passed:
        return max(after, last)
    return max(after, after + int((last - after) * (max(passed, timedelta()) / left)))


def seconds(passed: timedelta) -> float:
    """Return how many seconds one run may take, when the last one was so long ago."""
    return min(MOST_SECONDS, max(LEAST_SECONDS, passed.total_seconds() / SHARE_SECONDS))
